import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { DescribeTopicPartitions } from "#protocol/messages/describe-topic-partitions.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";

const wanted = (name: string, topic: { numPartitions?: number; replicationFactor?: number } = {}) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [] as { partitionIndex: number; brokerIds: number[] }[],
  configs: [] as { name: string; value: string }[],
  ...topic,
});

test("a topic serves as soon as its creation is answered, which tells what was made (trap 61)", async () => {
  await using world = await BrokerWorld.start({ config: { "num.partitions": "3" } });
  const { topics } = await world.call(CreateTopics, 7, {
    topics: [
      {
        ...wanted("t", { numPartitions: -1, replicationFactor: -1 }),
        configs: [{ name: "retention.ms", value: "5" }],
      },
    ],
  });
  expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 });
  expect(topics[0]?.configs?.find(({ name }) => name === "retention.ms")).toMatchObject({
    value: "5",
    configSource: 1,
  });
  expect(topics[0]?.topicId).toHaveLength(22);
  for (const partition of [0, 1, 2]) {
    expect((await world.clock.until(world.produce("t", batchOf(["a"]), { partition }))).errorCode).toBe(0);
  }
});

test("each topic of a request is judged on its own, repeated ones are refused (trap 61)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("there");
  const { topics } = await world.call(CreateTopics, 5, {
    topics: [
      wanted("new"),
      wanted("there"),
      wanted("twice"),
      wanted("twice"),
      wanted("no name!"),
      wanted("none", { numPartitions: 0 }),
      wanted("copies", { replicationFactor: 3 }),
      { ...wanted("config"), configs: [{ name: "no.such.config", value: "1" }] },
      {
        ...wanted("assigned", { numPartitions: -1, replicationFactor: -1 }),
        assignments: [{ partitionIndex: 1, brokerIds: [1] }],
      },
    ],
  });
  expect(Object.fromEntries(topics.map(({ name, errorCode }) => [name, errorCode]))).toEqual({
    new: 0,
    there: ErrorCode.topicAlreadyExists,
    twice: ErrorCode.invalidRequest,
    "no name!": ErrorCode.invalidTopicException,
    none: ErrorCode.invalidPartitions,
    copies: ErrorCode.invalidReplicationFactor,
    config: ErrorCode.invalidConfig,
    assigned: ErrorCode.invalidReplicaAssignment,
  });
  expect([...world.broker.metadata.image.topics.keys()].sort()).toEqual(["new", "there"]);
});

test("a topic that is only validated is not made", async () => {
  await using world = await BrokerWorld.start();
  const { topics } = await world.call(CreateTopics, 5, { topics: [wanted("t")], validateOnly: true });
  expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 1 });
  expect(world.broker.metadata.image.topics.size).toBe(0);
});

test("of two creations at the same time one is told that the topic exists", async () => {
  await using world = await BrokerWorld.start();
  const codes = await Promise.all([world.createTopic("t"), world.createTopic("t")]);
  expect(codes.sort()).toEqual([0, ErrorCode.topicAlreadyExists]);
});

test("topics are deleted by name or id, one answer each (trap 62)", async () => {
  await using world = await BrokerWorld.start();
  for (const name of ["a", "b"]) await world.createTopic(name);
  const topicId = world.broker.metadata.image.topics.get("b")?.id ?? "";
  const unknownId = "ZmFsc2UtdG9waWMtaWQtMQ";
  const { responses } = await world.call(DeleteTopics, 6, {
    topics: [
      { name: "a" },
      { name: null, topicId },
      { name: "c" },
      { name: null, topicId: unknownId },
      { name: null },
    ],
    timeoutMs: 1_000,
  });
  expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ["a", 0],
    ["b", 0],
    ["c", ErrorCode.unknownTopicOrPartition],
    [null, ErrorCode.unknownTopicId],
    [null, ErrorCode.invalidRequest],
  ]);
  expect((await world.call(Metadata, 9, { topics: null })).topics).toEqual([]);
});

test("a topic that is named twice for deletion, by name or id, stays", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("a");
  const topicId = world.broker.metadata.image.topics.get("a")?.id ?? "";
  const { responses } = await world.call(DeleteTopics, 6, {
    topics: [{ name: "a" }, { name: null, topicId }],
    timeoutMs: 1_000,
  });
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.invalidRequest]);
  expect(world.broker.metadata.image.topics.has("a")).toBe(true);
});

test("deletion can be turned off", async () => {
  await using world = await BrokerWorld.start({ config: { "delete.topic.enable": "false" } });
  await world.createTopic("t");
  const codeOf = async (version: number) =>
    (await world.call(DeleteTopics, version, { topicNames: ["t"], timeoutMs: 1 })).responses[0]?.errorCode;
  expect([await codeOf(2), await codeOf(5)]).toEqual([
    ErrorCode.invalidRequest,
    ErrorCode.topicDeletionDisabled,
  ]);
});

test("topics grow, never shrink, and the new partitions serve (trap 62)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t", { partitions: 2 });
  const grow = async (name: string, count: number, validateOnly = false) => {
    const topics = [{ name, count, assignments: null }];
    const { results } = await world.call(CreatePartitions, 3, { topics, timeoutMs: 1_000, validateOnly });
    return results.map(({ errorCode }) => errorCode);
  };
  expect(await grow("t", 1)).toEqual([ErrorCode.invalidPartitions]);
  expect(await grow("t", 2)).toEqual([ErrorCode.invalidPartitions]);
  expect(await grow("u", 2)).toEqual([ErrorCode.unknownTopicOrPartition]);
  expect(await grow("t", 4, true)).toEqual([0]);
  expect(await grow("t", 3)).toEqual([0]);
  expect((await world.clock.until(world.produce("t", batchOf(["a"]), { partition: 2 }))).errorCode).toBe(0);
  expect((await world.clock.until(world.produce("t", batchOf(["a"]), { partition: 3 }))).errorCode).not.toBe(
    0,
  );
});

test("the broker's own topics do not grow: groups would be looked for where they are not", async () => {
  await using world = await BrokerWorld.start({ config: { "offsets.topic.num.partitions": "2" } });
  await world.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] });
  const topics = [{ name: "__consumer_offsets", count: 5, assignments: null }];
  const request = { topics, timeoutMs: 1_000, validateOnly: false };
  const { results } = await world.call(CreatePartitions, 3, request);
  expect(results).toMatchObject([{ errorCode: ErrorCode.invalidRequest }]);
  expect(world.broker.metadata.image.topics.get("__consumer_offsets")?.partitions).toHaveLength(2);
});

test("topics are described page by page, and every page goes on where the last one ended (KIP-966)", async () => {
  await using world = await BrokerWorld.start();
  for (const name of ["a", "b", "c"]) await world.createTopic(name, { partitions: 3 });
  const seen: string[] = [];
  let cursor: ResponseOutput<typeof DescribeTopicPartitions>["nextCursor"] = null;
  for (let page = 0; page < 10; page++) {
    const answer: ResponseOutput<typeof DescribeTopicPartitions> = await world.call(
      DescribeTopicPartitions,
      0,
      {
        topics: [],
        responsePartitionLimit: 2,
        cursor,
      },
    );
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`);
    }
    cursor = answer.nextCursor;
    if (!cursor) break;
  }
  expect(seen).toEqual(["a-0", "a-1", "a-2", "b-0", "b-1", "b-2", "c-0", "c-1", "c-2"]);
});
