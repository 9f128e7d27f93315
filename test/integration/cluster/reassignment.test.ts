import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Kafka } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf, withAdmin } from "./cluster-admin.ts";
import { NumberedRecords, numbersTo } from "./numbered-records.ts";
import { ThreeNodes } from "./three-nodes.ts";

let directory: TemporaryDirectory;
let cluster: ThreeNodes;

beforeAll(async () => {
  directory = await temporaryDirectory();
  cluster = await ThreeNodes.start(directory.path, { "broker.session.timeout.ms": "1500" });
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
});

async function create(kafka: Kafka, replicaAssignment: { partition: number; replicas: number[] }[]) {
  const topic = uniqueName("moved");
  await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, replicaAssignment }] }));
  return topic;
}

async function reassign(kafka: Kafka, topic: string, replicas: number[], partition = 0): Promise<void> {
  await withAdmin(kafka, (admin) =>
    admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition, replicas }] }],
    }),
  );
}

async function replicasOf(kafka: Kafka, topic: string): Promise<number[]> {
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  return topics[0]?.partitions[0]?.replicas ?? [];
}

async function untilReplicas(kafka: Kafka, topic: string, replicas: number[]): Promise<void> {
  await waitUntil(
    `replicas ${replicas}`,
    async () => {
      const { topics } = await withAdmin(kafka, (admin) => admin.listPartitionReassignments({}));
      const isMoving = topics.some(({ topic: moving }) => moving === topic);
      return !isMoving && (await replicasOf(kafka, topic)).join() === replicas.join();
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${cluster.logTail()}`);
  });
}

const directoryOf = (nodeId: number, topic: string) =>
  join(directory.path, `node-${nodeId}`, "data", `${topic}-0`);

test("one replica becomes two, three, and one elsewhere, while records are written", async () => {
  const kafka = connectTo(cluster);
  const topic = await create(kafka, [{ partition: 0, replicas: [1] }]);
  const numbers = new NumberedRecords(kafka, topic);
  await numbers.more(50, "records before");

  for (const replicas of [[1, 2], [2, 3, 1], [3], [1], [2, 3], [3, 1, 2], [1, 2, 3]]) {
    await reassign(kafka, topic, replicas);
    await untilReplicas(kafka, topic, replicas);
    await numbers.more(20, `records with replicas ${replicas}`);
    for (const nodeId of [1, 2, 3]) {
      const isThere = () => existsSync(directoryOf(nodeId, topic));
      await waitUntil(`files on node ${nodeId}`, () => isThere() === replicas.includes(nodeId));
    }
  }
  await numbers.stop();
  expect(await numbers.stored()).toEqual(numbersTo(numbers.count));
}, 240_000);

test("what was moved survives that all nodes are killed, and the replicas that were left stay gone", async () => {
  const kafka = connectTo(cluster);
  const topic = await create(kafka, [{ partition: 0, replicas: [1, 2] }]);
  const numbers = new NumberedRecords(kafka, topic);
  await numbers.more(20, "records before");
  await reassign(kafka, topic, [3]);
  await untilReplicas(kafka, topic, [3]);
  await numbers.more(20, "records on the third node");
  await numbers.stop();

  await cluster.kill();
  for (const node of cluster.nodes) node.start();
  await Promise.all(cluster.nodes.map((node) => node.untilServing()));
  await waitUntil("the leader", async () => (await leadersOf(kafka, topic)).join() === "3", 30_000);
  expect(await replicasOf(kafka, topic)).toEqual([3]);
  expect(await numbers.stored()).toEqual(numbersTo(numbers.count));
  expect(existsSync(directoryOf(1, topic))).toBe(false);
}, 240_000);
