import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeQuorum } from "#protocol/messages/describe-quorum.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import { UnregisterBroker } from "#protocol/messages/unregister-broker.ts";
import { BrokerWorld } from "../broker-world.ts";

let world: BrokerWorld;
beforeAll(async () => {
  world = await BrokerWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());

function describeQuorum(topicName: string, partitions: readonly number[]) {
  const topics = [{ topicName, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }];
  return world.call(DescribeQuorum, 2, { topics });
}

test("a node that is alone is a quorum of one", async () => {
  const { errorCode, topics, nodes } = await describeQuorum("__cluster_metadata", [0]);
  expect(errorCode).toBe(ErrorCode.none);
  const [partition] = topics[0]?.partitions ?? [];
  expect(partition).toMatchObject({ errorCode: ErrorCode.none, leaderId: 1, observers: [] });
  expect(partition?.currentVoters).toHaveLength(1);
  expect(partition?.currentVoters[0]).toMatchObject({ replicaId: 1, logEndOffset: partition?.highWatermark });
  expect(nodes.map(({ nodeId }) => nodeId)).toEqual([1]);
});

test.each([
  ["t", [0]],
  ["__cluster_metadata", [1]],
  ["__cluster_metadata", [0, 1]],
])("%s %j is no quorum", async (topic, partitions) => {
  const { topics } = await describeQuorum(topic, partitions);
  const codes = topics[0]?.partitions.map(({ errorCode }) => errorCode);
  expect(codes).toEqual(partitions.map(() => ErrorCode.unknownTopicOrPartition));
});

test("an election of a kind that there is not is refused", async () => {
  const answer = await world.call(ElectLeaders, 2, {
    electionType: 7,
    topicPartitions: null,
    timeoutMs: 100,
  });
  expect(answer).toMatchObject({ errorCode: ErrorCode.invalidRequest, replicaElectionResults: [] });
});

test.each([
  [1, ErrorCode.invalidRequest],
  [2, ErrorCode.brokerIdNotRegistered],
  [-1, ErrorCode.brokerIdNotRegistered],
])("broker %d cannot be forgotten", async (brokerId, errorCode) => {
  expect(await world.call(UnregisterBroker, 0, { brokerId })).toMatchObject({ errorCode });
  expect([...world.broker.metadata.image.brokers.keys()]).toEqual([1]);
});
