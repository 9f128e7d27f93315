import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
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

async function incarnationOf(nodeId: number): Promise<number> {
  const properties = await readFile(join(cluster.dataOf(nodeId), "meta.properties"), "utf8");
  return Number(/^millrace.incarnation=(\d+)$/m.exec(properties)?.[1] ?? "0");
}

const replaceFlag = "--millrace.recovery.replace.disk=true";

const isServing = (nodeId: number) =>
  cluster.node(nodeId).log.some((line) => line.includes('"msg":"serving"'));

/** Loses a node's disk and lets it go on with another. */
async function replaceDisk(nodeId: number): Promise<void> {
  await cluster.node(nodeId).kill();
  await rm(cluster.dataOf(nodeId), { recursive: true });
  cluster.node(nodeId).start(replaceFlag);
  await cluster.node(nodeId).untilServing();
}

/** Resolves when the nodes named have all replicas in sync. */
async function untilInSync(topics: readonly string[], nodeIds: readonly number[]): Promise<void> {
  const kafka = connectTo(cluster);
  await waitUntil(
    `replicas on ${nodeIds} in sync`,
    async () => {
      const { topics: described } = await withAdmin(kafka, (admin) =>
        admin.fetchTopicMetadata({ topics: [...topics] }),
      );
      const partitions = described.flatMap((topic) => topic.partitions);
      return partitions.every(({ isr }) => isr.toSorted().join() === nodeIds.join());
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${cluster.logTail()}`);
  });
}

/** Resolves when the metadata group counts on a node's new disk. */
async function untilMetadataVoter(nodeId: number): Promise<void> {
  const voter = String((await incarnationOf(nodeId)) * 2 ** 31 + nodeId);
  await waitUntil("the metadata group's voter", () =>
    cluster.nodes.some(({ log }) =>
      log.some((line) => line.includes("the metadata group has a voter") && line.includes(voter)),
    ),
  );
}

/** Resolves when no node says that its groups still get other members: before that no other node may be lost. */
async function untilSettled(): Promise<void> {
  const isSettled = (log: readonly string[]) => {
    const last = log.findLast((line) => line.includes("groups that are led here"));
    return last === undefined || last.includes("members that are wanted");
  };
  await waitUntil("all members exchanged", () => cluster.nodes.every(({ log }) => isSettled(log)));
}

test("a wiped disk is refused, replaced on request, and has then all that the lost one had", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("lost");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
  );
  const numbers = new NumberedRecords(kafka, topic);
  await numbers.more(100, "records before");

  await cluster.node(3).kill();
  await rm(cluster.dataOf(3), { recursive: true });
  cluster.node(3).start();
  await waitUntil("the refusal, which names the way out", () =>
    [1, 2, 3].some((nodeId) =>
      cluster.node(nodeId).log.some((line) => line.includes("millrace.recovery.replace.disk=true")),
    ),
  );
  expect(isServing(3)).toBe(false);
  await cluster.node(3).terminate();
  await numbers.more(50, "records with two nodes");

  await replaceDisk(3);
  await untilInSync([topic], [1, 2, 3]);
  expect(await incarnationOf(3)).toBe(1);
  await untilMetadataVoter(3);
  await untilSettled();
  await numbers.more(50, "records with the new disk");

  // With one of the others gone it must have everything, and its vote.
  const [leader = 1] = await leadersOf(kafka, topic);
  await cluster.node(leader === 3 ? 1 : leader).kill();
  await numbers.more(50, "records that need the new disk");
  await numbers.stop();
  expect(await numbers.stored()).toEqual(numbersTo(numbers.count));
  for (const node of cluster.nodes.filter(({ isRunning }) => !isRunning)) {
    node.start();
    await node.untilServing();
  }
}, 240_000);

test("one disk after the other is replaced, and the cluster starts again from what is there then", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("lost");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 3 }] }),
  );
  const numbers = new NumberedRecords(kafka, topic);
  for (const nodeId of [1, 2, 3]) {
    await numbers.more(50, `records before the disk of node ${nodeId} is lost`);
    await replaceDisk(nodeId);
    await untilInSync([topic], [1, 2, 3]);
    await untilMetadataVoter(nodeId);
  }
  await numbers.stop();
  await untilSettled();
  await cluster.kill();
  // Two of the three are a majority, whichever they are, and know it.
  for (const nodeId of [1, 3]) cluster.node(nodeId).start();
  await Promise.all([1, 3].map((nodeId) => cluster.node(nodeId).untilServing()));
  expect((await numbers.stored()).toSorted((a, b) => a - b)).toEqual(numbersTo(numbers.count));
  cluster.node(2).start();
  await cluster.node(2).untilServing();
  await untilInSync([topic], [1, 2, 3]);
}, 300_000);
