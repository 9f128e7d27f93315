import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { AlterPartitionReassignments } from "#protocol/messages/alter-partition-reassignments.ts";
import { ListPartitionReassignments } from "#protocol/messages/list-partition-reassignments.ts";
import { ask } from "../ask.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { NumberedRecords, numbersTo } from "./numbered-records.ts";
import { shareThreeNodes } from "./shared-nodes.ts";

const cluster = shareThreeNodes({
  "broker.session.timeout.ms": "1500",
  "offsets.topic.num.partitions": "3",
});

async function create(kafka: Kafka, replicaAssignment: { partition: number; replicas: number[] }[]) {
  const topic = uniqueName("moved");
  await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, replicaAssignment }] }));
  return topic;
}

/** Clients ask for all topics, and wait for each to have a leader: what has replicas on a node that will be killed must not stay. */
async function remove(kafka: Kafka, topic: string): Promise<void> {
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
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

const directoryOf = (nodeId: number, topic: string) => join(cluster.dataOf(nodeId), `${topic}-0`);

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
  await remove(kafka, topic);
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
  await remove(kafka, topic);
}, 240_000);

/** Asks for a move, or for its end; answers the partition's error. */
async function alter(topic: string, replicas: number[] | null, mayChangeFactor = true): Promise<ErrorCode> {
  const [server = ""] = cluster.bootstrapServers;
  const partitions = [{ partitionIndex: 0, replicas }];
  const request = { topics: [{ name: topic, partitions }], allowReplicationFactorChange: mayChangeFactor };
  const { responses } = await ask(server, AlterPartitionReassignments, { version: 1, request });
  return responses[0]?.partitions[0]?.errorCode ?? ErrorCode.unknownServerError;
}

async function ongoing(topic: string) {
  const [server = ""] = cluster.bootstrapServers;
  const request = { topics: [{ name: topic, partitionIndexes: [0] }] };
  const { topics } = await ask(server, ListPartitionReassignments, { version: 0, request });
  return topics[0]?.partitions[0];
}

test("a move that waits for a node is shown, and can be taken back", async () => {
  const kafka = connectTo(cluster);
  const topic = await create(kafka, [{ partition: 0, replicas: [1] }]);
  expect(await alter(topic, null)).toBe(ErrorCode.noReassignmentInProgress);
  expect(await alter(topic, [1, 9])).toBe(ErrorCode.invalidReplicaAssignment);
  expect(await alter(topic, [1, 1])).toBe(ErrorCode.invalidReplicaAssignment);
  expect(await alter(topic, [])).toBe(ErrorCode.invalidReplicaAssignment);
  expect(await alter(topic, [1, 2], false)).toBe(ErrorCode.invalidReplicationFactor);
  expect(await alter(`${topic}-none`, [1])).toBe(ErrorCode.unknownTopicOrPartition);

  await cluster.node(3).kill();
  expect(await alter(topic, [3])).toBe(ErrorCode.none);
  const moving = { partitionIndex: 0, replicas: [3, 1], addingReplicas: [3], removingReplicas: [1] };
  expect(await ongoing(topic)).toEqual(moving);
  const numbers = new NumberedRecords(kafka, topic);
  await numbers.more(20, "records meanwhile");
  expect(await alter(topic, null)).toBe(ErrorCode.none);
  expect(await ongoing(topic)).toBeUndefined();

  // It learns of the move and of its end at once, or of the end alone.
  cluster.node(3).start();
  await cluster.node(3).untilServing();
  await numbers.more(20, "records after");
  await numbers.stop();
  expect(await replicasOf(kafka, topic)).toEqual([1]);
  await waitUntil("no files on node 3", () => !existsSync(directoryOf(3, topic)));
  expect(await numbers.stored()).toEqual(numbersTo(numbers.count));
  await remove(kafka, topic);
}, 240_000);

test("a move goes on whoever is killed meanwhile", async () => {
  const kafka = connectTo(cluster);
  for (const victim of [1, 2, 3]) {
    const topic = await create(kafka, [{ partition: 0, replicas: [1, 2] }]);
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let count = 0; count < 40; count++) {
      await producer.send({ topic, acks: -1, messages: [{ value: "x".repeat(500_000) }] });
    }
    await reassign(kafka, topic, [3, 2]);
    await cluster.node(victim).kill();
    cluster.node(victim).start();
    await cluster.node(victim).untilServing();
    await untilReplicas(kafka, topic, [3, 2]);
    await producer.send({ topic, acks: -1, messages: [{ value: "last" }] });
    await producer.disconnect();
    await waitUntil("the new leader", async () => [2, 3].includes((await leadersOf(kafka, topic))[0] ?? -1));
    const { high } = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic)).then(
      ([offsets]) => offsets ?? { high: "" },
    );
    expect(high).toBe("41");
    await waitUntil("no files on node 1", () => !existsSync(directoryOf(1, topic)));
    await remove(kafka, topic);
  }
}, 300_000);

test("a group goes on while its coordinator's partition is moved from node to node", async () => {
  const kafka = connectTo(cluster);
  const topic = await create(kafka, [{ partition: 0, replicas: [1, 2, 3] }]);
  const groupId = uniqueName("group");
  const numbers = new NumberedRecords(kafka, topic);
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: { retries: 100 } });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen = new Set<number>();
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: async ({ message }) => void seen.add(Number(message.value)),
  });
  await waitUntil("records", () => seen.size > 20, 60_000);
  const offsets = "__consumer_offsets";
  const count = (await leadersOf(kafka, offsets)).length;
  for (const replicas of [[1], [2], [3, 1, 2]]) {
    const partitionAssignment = Array.from({ length: count }, (_, partition) => ({ partition, replicas }));
    await withAdmin(kafka, (admin) =>
      admin.alterPartitionReassignments({ topics: [{ topic: offsets, partitionAssignment }] }),
    );
    await untilReplicas(kafka, offsets, replicas);
    const before = numbers.count;
    await waitUntil(`records with offsets on ${replicas}`, () => seen.has(before + 20), 60_000);
  }
  await consumer.disconnect();
  await numbers.stop();
  const [committed] = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  expect(Number(committed?.partitions[0]?.offset)).toBeGreaterThan(60);
}, 240_000);
