import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { OffsetForLeaderEpoch } from "#protocol/messages/offset-for-leader-epoch.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";

const latest = -1;
const earliest = -2;
const maxTimestamp = -3;

async function find(world: BrokerWorld, timestamp: number, version = 8, currentLeaderEpoch = -1) {
  const { topics } = await world.call(ListOffsets, version, {
    replicaId: -1,
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch }] }],
  });
  const answer = topics[0]?.partitions[0];
  if (!answer) throw new Error("ListOffsets was answered without a partition");
  return answer;
}

async function trim(world: BrokerWorld, offset: number, topic = "t") {
  const { topics } = await world.call(DeleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 1_000,
  });
  return topics[0]?.partitions[0];
}

async function worldWith(batches: readonly (readonly [values: string[], timestampMs: number])[]) {
  const world = await BrokerWorld.start();
  await world.createTopic("t");
  for (const [values, timestampMs] of batches) {
    await world.clock.until(world.produce("t", batchOf(values, { timestampMs })));
  }
  return world;
}

test("the special timestamps name the ends of the log (trap 35)", async () => {
  await using world = await worldWith([
    [["a", "b"], 1_000],
    [["c"], 3_000],
    [["d"], 2_000],
  ]);
  expect(await find(world, latest)).toMatchObject({ offset: 4, timestamp: -1 });
  expect(await find(world, earliest)).toMatchObject({ offset: 0, timestamp: -1 });
  expect(await find(world, maxTimestamp)).toMatchObject({ offset: 2, timestamp: 3_000 });
  expect(await find(world, -4)).toMatchObject({ offset: 0 });
  expect(await find(world, -5, 9)).toMatchObject({ offset: -1, timestamp: -1, errorCode: 0 });
  expect(await find(world, -6, 11)).toMatchObject({ offset: -1, errorCode: 0 });
});

test("a special timestamp that the version does not know is refused", async () => {
  await using world = await worldWith([]);
  for (const [timestamp, version] of [
    [maxTimestamp, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-99, 11],
  ] as const) {
    expect((await find(world, timestamp, version)).errorCode).toBe(ErrorCode.unsupportedVersion);
  }
});

test("a time finds the first record at or after it, or nothing (trap 35)", async () => {
  await using world = await worldWith([
    [["a"], 1_000],
    [["b", "c"], 3_000],
  ]);
  expect(await find(world, 0)).toMatchObject({ offset: 0, timestamp: 1_000 });
  expect(await find(world, 1_001)).toMatchObject({ offset: 1, timestamp: 3_000 });
  expect(await find(world, 3_001)).toMatchObject({
    offset: -1,
    timestamp: -1,
    leaderEpoch: -1,
    errorCode: 0,
  });
});

test("leader epochs: of the record, of the start, the current one, none in an empty log (trap 36)", async () => {
  const first = await worldWith([[["a"], 1_000]]);
  const epoch = (await find(first, latest)).leaderEpoch;
  await first[Symbol.asyncDispose]();
  await using second = await BrokerWorld.start({ files: first.files });
  await second.clock.until(second.produce("t", batchOf(["b"], { timestampMs: 2_000 })));
  expect((await find(second, earliest)).leaderEpoch).toBe(epoch);
  expect((await find(second, 1_500)).leaderEpoch).toBe(epoch + 1);
  expect((await find(second, latest)).leaderEpoch).toBe(epoch + 1);
  await trim(second, -1);
  expect((await find(second, 0)).leaderEpoch).toBe(-1);
});

test("readers of another epoch are fenced, a partition asked for twice is refused", async () => {
  await using world = await worldWith([[["a"], 1_000]]);
  const { leaderEpoch } = await find(world, latest);
  expect((await find(world, latest, 8, leaderEpoch - 1)).errorCode).toBe(ErrorCode.fencedLeaderEpoch);
  expect((await find(world, latest, 8, leaderEpoch + 1)).errorCode).toBe(ErrorCode.unknownLeaderEpoch);
  const partitions = [0, 0].map((partitionIndex) => ({ partitionIndex, timestamp: latest }));
  const { topics } = await world.call(ListOffsets, 8, { replicaId: -1, topics: [{ name: "t", partitions }] });
  expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.invalidRequest,
    ErrorCode.invalidRequest,
  ]);
});

test("an epoch ends where the next one begins; a future one is not known (trap 37)", async () => {
  const first = await worldWith([[["a", "b"], 1_000]]);
  const epoch = (await find(first, latest)).leaderEpoch;
  await first[Symbol.asyncDispose]();
  await using second = await BrokerWorld.start({ files: first.files });
  const endOf = async (leaderEpoch: number) => {
    const { topics } = await second.call(OffsetForLeaderEpoch, 4, {
      topics: [{ topic: "t", partitions: [{ partition: 0, leaderEpoch }] }],
    });
    const answer = topics[0]?.partitions[0];
    return [answer?.errorCode, answer?.leaderEpoch, answer?.endOffset];
  };
  expect(await endOf(epoch + 1)).toEqual([0, epoch + 1, 2]);
  await second.clock.until(second.produce("t", batchOf(["c"])));
  expect(await endOf(epoch)).toEqual([0, epoch, 2]);
  expect(await endOf(epoch + 1)).toEqual([0, epoch + 1, 3]);
  expect(await endOf(epoch + 2)).toEqual([0, -1, -1]);
});

test("records are deleted up to an offset, -1 being the end, and for good (trap 39)", async () => {
  await using world = await worldWith([
    [["a", "b", "c"], 1_000],
    [["d"], 2_000],
  ]);
  expect(await trim(world, 1)).toMatchObject({ errorCode: 0, lowWatermark: 1 });
  expect(await find(world, earliest)).toMatchObject({ offset: 1 });
  expect((await world.fetch("t", { offset: 0 })).errorCode).toBe(ErrorCode.offsetOutOfRange);
  expect(await trim(world, 0)).toMatchObject({ errorCode: 0, lowWatermark: 1 });
  expect(await trim(world, 5)).toMatchObject({ errorCode: ErrorCode.offsetOutOfRange, lowWatermark: -1 });
  expect(await trim(world, -2)).toMatchObject({ errorCode: ErrorCode.offsetOutOfRange });
  expect(await trim(world, -1)).toMatchObject({ errorCode: 0, lowWatermark: 4 });
  expect(await world.clock.until(world.produce("t", batchOf(["e"])))).toMatchObject({
    baseOffset: 4,
    logStartOffset: 4,
  });
});

test("records of a compacted topic and of the broker's own are not deleted", async () => {
  await using world = await worldWith([]);
  await world.createTopic("compacted", { configs: { "cleanup.policy": "compact" } });
  await world.createTopic("__consumer_offsets");
  expect((await trim(world, 0, "compacted"))?.errorCode).toBe(ErrorCode.policyViolation);
  expect((await trim(world, 0, "__consumer_offsets"))?.errorCode).toBe(ErrorCode.invalidTopicException);
});

test("a batch sent again after its records were deleted and the broker restarted is still a duplicate", async () => {
  const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
  const first = await worldWith([]);
  await first.clock.until(first.produce("t", batchOf(["a"], producer)));
  await trim(first, -1);
  await first[Symbol.asyncDispose]();
  await using second = await BrokerWorld.start({ files: first.files });
  expect(await second.clock.until(second.produce("t", batchOf(["a"], producer)))).toMatchObject({
    errorCode: 0,
    baseOffset: 0,
  });
  expect((await find(second, latest)).offset).toBe(1);
});
