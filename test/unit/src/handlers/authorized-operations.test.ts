import { expect, test } from "vitest";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeTopicPartitions } from "#protocol/messages/describe-topic-partitions.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import {
  clusterOperations,
  groupOperations,
  operationsNotAsked,
  topicOperations,
} from "#src/handlers/authorized-operations.ts";
import { BrokerWorld } from "../broker-world.ts";

test("the masks are those that Kafka sends without an authorizer", () => {
  expect([topicOperations, groupOperations, clusterOperations]).toEqual([3_576, 3_400, 8_096]);
});

test("what is allowed is told only where a client asks, for unknown topics too (KIP-430)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const ask = async (isAsked: boolean) => {
    const { topics, clusterAuthorizedOperations } = await world.call(Metadata, 8, {
      topics: [{ name: "t" }, { name: "none" }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: isAsked,
      includeClusterAuthorizedOperations: isAsked,
    });
    return [...topics.map(({ topicAuthorizedOperations: allowed }) => allowed), clusterAuthorizedOperations];
  };
  expect(await ask(true)).toEqual([topicOperations, topicOperations, clusterOperations]);
  expect(await ask(false)).toEqual([operationsNotAsked, operationsNotAsked, operationsNotAsked]);

  const cluster = await world.call(DescribeCluster, 2, { includeClusterAuthorizedOperations: true });
  expect(cluster.clusterAuthorizedOperations).toBe(clusterOperations);
  const described = await world.call(DescribeTopicPartitions, 0, { topics: [{ name: "t" }] });
  expect(described.topics[0]?.topicAuthorizedOperations).toBe(topicOperations);
});

test("a cursor has to be at one of the topics that are asked for (KIP-966)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const codeFrom = async (topicName: string) => {
    const cursor = { topicName, partitionIndex: 0 };
    const { topics } = await world.call(DescribeTopicPartitions, 0, { topics: [{ name: "t" }], cursor });
    return topics.map(({ name, errorCode }) => [name, errorCode]);
  };
  expect(await codeFrom("t")).toEqual([["t", 0]]);
  expect(await codeFrom("other")).toEqual([["t", 42]]);
});
