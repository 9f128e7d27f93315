import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeQuorum } from "#protocol/messages/describe-quorum.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import { ask } from "../ask.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { shareThreeNodes } from "./shared-nodes.ts";

const cluster = shareThreeNodes({
  "broker.session.timeout.ms": "1500",
  // Leadership goes where this file sends it.
  "auto.leader.rebalance.enable": "false",
});

/** Makes a topic whose three partitions node 1, 2 and 3 lead, in this order. */
async function createSpread(): Promise<string> {
  const topic = uniqueName("spread");
  const replicaAssignment = [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ].map((replicas, partition) => ({ partition, replicas }));
  await withAdmin(connectTo(cluster), (admin) =>
    admin.createTopics({ topics: [{ topic, replicaAssignment, numPartitions: -1, replicationFactor: -1 }] }),
  );
  return topic;
}

async function elect(
  nodeId: number,
  topicPartitions: readonly { topic: string; partitions: number[] }[] | null,
  electionType = 0,
): Promise<{ topic: string; partition: number; errorCode: number }[]> {
  const answer = await ask(cluster.node(nodeId).address, ElectLeaders, {
    version: 2,
    request: { electionType, topicPartitions, timeoutMs: 10_000 },
  });
  expect(answer.errorCode).toBe(ErrorCode.none);
  return answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode }) => ({ topic, partition: partitionId, errorCode })),
  );
}

async function describeQuorum(nodeId: number) {
  const topics = [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }];
  const answer = await ask(cluster.node(nodeId).address, DescribeQuorum, { version: 2, request: { topics } });
  expect(answer.errorCode).toBe(ErrorCode.none);
  const [partition] = answer.topics[0]?.partitions ?? [];
  if (!partition) throw new Error("No partition was described");
  return { ...partition, nodes: answer.nodes };
}

test("preferred leaders are elected on request, from any node and for all topics", async () => {
  const kafka = connectTo(cluster);
  const topic = await createSpread();
  expect(await leadersOf(kafka, topic)).toEqual([1, 2, 3]);
  await cluster.node(3).terminate();
  await waitUntil("a leader elsewhere", async () => {
    const leaders = await leadersOf(kafka, topic);
    return !leaders.includes(3) && !leaders.includes(-1);
  });
  const wish = [{ topic, partitions: [0, 2, 7] }];
  expect((await elect(1, wish)).map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.electionNotNeeded,
    ErrorCode.preferredLeaderNotAvailable,
    ErrorCode.unknownTopicOrPartition,
  ]);
  expect((await elect(1, [{ topic, partitions: [0, 7] }], 1)).map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.electionNotNeeded,
    ErrorCode.unknownTopicOrPartition,
  ]);

  cluster.node(3).start();
  await cluster.node(3).untilServing();
  await waitUntil("node 3 elected", async () => {
    const results = await elect(2, null);
    return results.some((result) => result.topic === topic && result.errorCode === ErrorCode.none);
  });
  expect(await leadersOf(kafka, topic)).toEqual([1, 2, 3]);
  expect(await elect(1, null)).toEqual([]);
});

test("the metadata quorum is described alike by every node, with those that are gone", async () => {
  const [first, ...others] = await Promise.all([1, 2, 3].map(describeQuorum));
  expect(first?.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3]);
  expect(first?.nodes.map(({ listeners }) => listeners.map(({ name }) => name))).toEqual(
    [1, 2, 3].map(() => ["CONTROLLER"]),
  );
  for (const other of others) expect(other.leaderId).toBe(first?.leaderId);

  const gone = first?.leaderId === 3 ? 2 : 3;
  await cluster.node(gone).kill();
  const killedMs = Date.now();
  await changeMetadata();
  await waitUntil("node left behind", async () => {
    const { currentVoters, highWatermark } = await describeQuorum(first?.leaderId ?? 1);
    const voter = currentVoters.find(({ replicaId }) => replicaId === gone);
    return voter !== undefined && voter.logEndOffset < highWatermark && voter.lastFetchTimestamp < killedMs;
  });
  cluster.node(gone).start();
  await cluster.node(gone).untilServing();
});

/** A change of the metadata. */
async function changeMetadata(): Promise<void> {
  const topic = uniqueName("change");
  await withAdmin(connectTo(cluster), (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 2 }] }),
  );
}
