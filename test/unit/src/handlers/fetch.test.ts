import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { BrokerWorld, batchOf, valuesOf } from "../broker-world.ts";

type TopicRequest = NonNullable<RequestInput<typeof Fetch>["topics"]>[number];
type PartitionRequest = NonNullable<TopicRequest["partitions"]>[number];

const asking = (
  partitions: readonly Partial<PartitionRequest>[],
  request: Partial<RequestInput<typeof Fetch>> = {},
): RequestInput<typeof Fetch> => ({
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1 << 24,
  topics: [
    {
      topic: "t",
      partitions: partitions.map((partition, index) => ({
        partition: index,
        fetchOffset: 0,
        partitionMaxBytes: 1 << 20,
        ...partition,
      })),
    },
  ],
  ...request,
});

async function worldWith(batches: readonly (readonly string[])[], partitions = 1): Promise<BrokerWorld> {
  const world = await BrokerWorld.start();
  await world.createTopic("t", { partitions });
  for (const values of batches) await world.clock.until(world.produce("t", batchOf(values)));
  return world;
}

const partitionsOf = async (world: BrokerWorld, version: number, request: RequestInput<typeof Fetch>) =>
  (await world.call(Fetch, version, request)).responses[0]?.partitions ?? [];

test("the batch that contains the offset comes whole, from its first record on (trap 26)", async () => {
  await using world = await worldWith([
    ["a", "b", "c"],
    ["d", "e"],
  ]);
  const [answer] = await partitionsOf(world, 11, asking([{ fetchOffset: 2 }]));
  expect(valuesOf(answer?.records ?? null).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
});

test("the first batch comes although it is over every limit, and no second one (trap 27, KIP-74)", async () => {
  await using world = await worldWith([["x".repeat(5_000)], ["y".repeat(5_000)]], 2);
  await world.clock.until(world.produce("t", batchOf(["z"]), { partition: 1 }));
  const answers = await partitionsOf(
    world,
    11,
    asking([{ partitionMaxBytes: 1 }, { partitionMaxBytes: 1 }], { maxBytes: 1 }),
  );
  expect(answers.map(({ records }) => valuesOf(records).length)).toEqual([1, 0]);
});

test("an empty partition has empty records, all its offsets and no null (trap 32)", async () => {
  await using world = await worldWith([]);
  const [plain] = await partitionsOf(world, 11, asking([{}]));
  expect(plain).toMatchObject({ errorCode: 0, highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 });
  expect([plain?.records?.length, plain?.abortedTransactions]).toEqual([0, null]);
  const [committed] = await partitionsOf(world, 11, asking([{}], { isolationLevel: 1 }));
  expect(committed?.abortedTransactions).toEqual([]);
});

test("an offset before the start or past the end is out of range, the end itself is not (trap 29)", async () => {
  await using world = await worldWith([["a"]]);
  const codes = [];
  for (const fetchOffset of [-1, 0, 1, 2]) {
    codes.push((await partitionsOf(world, 11, asking([{ fetchOffset }])))[0]?.errorCode);
  }
  expect(codes).toEqual([ErrorCode.offsetOutOfRange, 0, 0, ErrorCode.offsetOutOfRange]);
});

test("a fetch at the end waits for data and is woken by it, not by its time", async () => {
  await using world = await worldWith([["a"]]);
  const startedMs = world.clock.monotonicMs();
  const waiting = world.begin(Fetch, 11, asking([{ fetchOffset: 1 }], { maxWaitMs: 30_000 }));
  await world.clock.advance(1_000);
  await world.clock.until(world.produce("t", batchOf(["b"])));
  const { responses } = await world.clock.until(waiting);
  expect(valuesOf(responses[0]?.partitions[0]?.records ?? null)).toMatchObject([{ offset: 1, value: "b" }]);
  expect(world.clock.monotonicMs() - startedMs).toBeLessThan(2_000);
});

test("a fetch waits until there are enough bytes, but not longer than it said", async () => {
  await using world = await worldWith([["a"]]);
  const startedMs = world.clock.monotonicMs();
  const waiting = world.begin(Fetch, 11, asking([{}], { maxWaitMs: 500, minBytes: 100_000 }));
  await world.clock.until(world.produce("t", batchOf(["b"])));
  const { responses } = await world.clock.until(waiting);
  expect(valuesOf(responses[0]?.partitions[0]?.records ?? null)).toHaveLength(2);
  expect(world.clock.monotonicMs() - startedMs).toBe(500);
});

test.each([
  ["nothing is asked for", asking([], { topics: [], maxWaitMs: 30_000 })],
  ["nothing is enough", asking([{ fetchOffset: 1 }], { minBytes: 0, maxWaitMs: 30_000 })],
  [
    "one partition has an error",
    asking([{ fetchOffset: 1 }, { partition: 0, fetchOffset: 9 }], { maxWaitMs: 30_000 }),
  ],
])("a fetch does not wait when %s", async (_why, request) => {
  await using world = await worldWith([["a"]]);
  const startedMs = world.clock.monotonicMs();
  await world.call(Fetch, 11, request);
  expect(world.clock.monotonicMs()).toBe(startedMs);
});

test("a waiting fetch learns that its topic is gone", async () => {
  await using world = await worldWith([]);
  const waiting = world.begin(Fetch, 11, asking([{}], { maxWaitMs: 30_000 }));
  await world.clock.settle();
  await world.call(DeleteTopics, 5, { topicNames: ["t"], timeoutMs: 1_000 });
  const { responses } = await world.clock.until(waiting);
  expect(responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.unknownTopicOrPartition);
});

test("what is not known does not end the wait for the others, and is told with them", async () => {
  await using world = await worldWith([["a"]]);
  const unknown = { topic: "gone", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] };
  const request = asking([{ fetchOffset: 1 }, {}], { maxWaitMs: 30_000 });
  const waiting = world.begin(Fetch, 11, { ...request, topics: [unknown, ...(request.topics ?? [])] });
  await world.clock.advance(5_000);
  await world.clock.until(world.produce("t", batchOf(["b"])));
  const { responses } = await world.clock.until(waiting);
  const codes = responses.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
  const { unknownTopicOrPartition } = ErrorCode;
  expect(codes).toEqual([[unknownTopicOrPartition], [0, unknownTopicOrPartition]]);
  expect(valuesOf(responses[1]?.partitions[0]?.records ?? null)).toHaveLength(1);
  // Where there is nothing else to wait for, it is told at once.
  expect((await world.call(Fetch, 11, { ...request, topics: [unknown] })).responses).toHaveLength(1);
});

test("a waiting fetch ends with its connection and leaves no timer", async () => {
  await using world = await worldWith([]);
  await world.clock.settle();
  const timers = world.clock.timerCount;
  const waiting = world.begin(Fetch, 11, asking([{}], { maxWaitMs: 30_000 }));
  await world.clock.settle();
  expect(world.clock.timerCount).toBe(timers + 1);
  world.connection.abort();
  await world.clock.until(waiting);
  expect(world.clock.timerCount).toBe(timers);
});

test("a reader with another leader epoch is fenced (trap 38, KIP-320)", async () => {
  await using world = await worldWith([["a"]]);
  const epoch = world.broker.partitions.find("t", 0)?.leaderEpoch ?? -1;
  const codes = [];
  for (const currentLeaderEpoch of [epoch - 1, epoch, epoch + 1, -1]) {
    codes.push((await partitionsOf(world, 11, asking([{ currentLeaderEpoch }])))[0]?.errorCode);
  }
  expect(codes).toEqual([ErrorCode.fencedLeaderEpoch, 0, ErrorCode.unknownLeaderEpoch, 0]);
});

test("a reader whose last epoch ended before its offset is told where the logs part (KIP-595)", async () => {
  await using world = await worldWith([["a", "b"]]);
  const epoch = world.broker.partitions.find("t", 0)?.leaderEpoch ?? -1;
  const request = asking([{ fetchOffset: 2, lastFetchedEpoch: epoch }]);
  const [same] = await partitionsOf(world, 12, request);
  expect(same?.divergingEpoch.endOffset).toBe(-1);
  const files = world.files;
  await world.clock.until(world.broker.close());
  await using next = await BrokerWorld.start({ files });
  await next.clock.until(next.produce("t", batchOf(["c"])));
  const [parted] = await partitionsOf(next, 12, asking([{ fetchOffset: 3, lastFetchedEpoch: epoch }]));
  expect(parted).toMatchObject({ errorCode: 0, divergingEpoch: { epoch, endOffset: 2 } });
  const [unknown] = await partitionsOf(next, 12, asking([{ fetchOffset: 2, lastFetchedEpoch: epoch + 5 }]));
  expect(unknown?.errorCode).toBe(ErrorCode.offsetOutOfRange);
});

test("from v13 on topics go by id, and an id that is gone is told as such (trap 31)", async () => {
  await using world = await worldWith([["a"]]);
  const topicId = world.broker.metadata.image.topics.get("t")?.id ?? "";
  const byId = (id: string) =>
    asking([], {
      topics: [{ topicId: id, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
    });
  expect((await partitionsOf(world, 13, byId(topicId)))[0]).toMatchObject({ errorCode: 0, highWatermark: 1 });
  await world.call(DeleteTopics, 5, { topicNames: ["t"], timeoutMs: 1_000 });
  await world.createTopic("t");
  expect((await partitionsOf(world, 13, byId(topicId)))[0]?.errorCode).toBe(ErrorCode.unknownTopicId);
});

test("no session is ever kept: a client that names one is told so (trap 30)", async () => {
  await using world = await worldWith([["a"]]);
  const opened = await world.call(Fetch, 11, asking([{}], { sessionEpoch: 0 }));
  expect(opened.sessionId).toBe(0);
  const { errorCode } = await world.call(Fetch, 11, asking([{}], { sessionId: 5, sessionEpoch: 1 }));
  expect(errorCode).toBe(ErrorCode.fetchSessionIdNotFound);
});
