import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";

async function worldWith(configs: Record<string, string> = {}): Promise<BrokerWorld> {
  const world = await BrokerWorld.start();
  await world.createTopic("t", { configs });
  return world;
}

const sequenced = (baseSequence: number, values = ["a"], producer: { epoch?: number; id?: number } = {}) =>
  batchOf(values, { producerId: producer.id ?? 7, producerEpoch: producer.epoch ?? 0, baseSequence });

const codeOf = async (world: BrokerWorld, batch: Uint8Array, options = {}) =>
  (await world.clock.until(world.produce("t", batch, options))).errorCode;

test("acks=1 and acks=all answer with the offset, once the journal has the batch", async () => {
  await using world = await worldWith();
  let answered = 0;
  for (const acks of [1, -1]) void world.produce("t", batchOf(["a"]), { acks }).then(() => (answered += 1));
  expect(answered).toBe(0);
  await world.clock.settle();
  expect(answered).toBe(2);
});

test("acks=0 gets no answer and is appended all the same (trap 5)", async () => {
  await using world = await worldWith();
  const request = { transactionalId: null, acks: 0, timeoutMs: 1_000 };
  const partitionData = [{ index: 0, records: batchOf(["a"]) }];
  expect(
    await world.answer(Produce, 9, { ...request, topicData: [{ name: "t", partitionData }] }),
  ).toBeUndefined();
  await world.clock.settle();
  expect((await world.read("t")).values).toHaveLength(1);
  await expect(
    world.answer(Produce, 9, { ...request, topicData: [{ name: "unknown", partitionData }] }),
  ).rejects.toThrow("acks=0");
});

test("other acks are refused, and nothing is appended (trap 24)", async () => {
  await using world = await worldWith();
  expect(await codeOf(world, batchOf(["a"]), { acks: 2 })).toBe(ErrorCode.invalidRequiredAcks);
  expect((await world.read("t")).highWatermark).toBe(0);
});

test("topics and partitions that are not there, and the broker's own, are refused (trap 24)", async () => {
  await using world = await worldWith();
  await world.createTopic("__consumer_offsets");
  const outcome = async (topic: string, partition: number) =>
    (await world.clock.until(world.produce(topic, batchOf(["a"]), { partition }))).errorCode;
  expect(await outcome("t", 5)).toBe(ErrorCode.unknownTopicOrPartition);
  expect(await outcome("u", 0)).toBe(ErrorCode.unknownTopicOrPartition);
  expect(await outcome("__consumer_offsets", 0)).toBe(ErrorCode.invalidTopicException);
});

test("a damaged batch is refused, alone of its request (trap 16)", async () => {
  await using world = await worldWith();
  await world.createTopic("u");
  const damaged = batchOf(["a"]);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  const { responses } = await world.call(Produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData: [
      { name: "t", partitionData: [{ index: 0, records: damaged }] },
      { name: "u", partitionData: [{ index: 0, records: batchOf(["b"]) }] },
    ],
  });
  expect(responses.map(({ partitionResponses }) => partitionResponses[0]?.errorCode)).toEqual([
    ErrorCode.corruptMessage,
    0,
  ]);
});

test("a batch above max.message.bytes is refused (trap 17)", async () => {
  await using world = await worldWith({ "max.message.bytes": "1000" });
  expect(await codeOf(world, batchOf(["x".repeat(2_000)]))).toBe(ErrorCode.messageTooLarge);
});

test("a batch larger than an entry of the journal is refused, however large the topic allows", async () => {
  await using world = await worldWith({ "max.message.bytes": "10000000" });
  expect(await codeOf(world, batchOf(["x".repeat(700_000)]))).toBe(ErrorCode.messageTooLarge);
  expect(world.fatal).toEqual([]);
});

test("a record without a key is named on a compacted topic (trap 18)", async () => {
  await using world = await worldWith({ "cleanup.policy": "compact" });
  const answer = await world.clock.until(world.produce("t", batchOf(["a", "b"])));
  expect(answer.errorCode).toBe(ErrorCode.invalidRecord);
  expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
});

test("the broker's time replaces the producer's where the topic says so, and is told (trap 15)", async () => {
  await using world = await worldWith({ "message.timestamp.type": "LogAppendTime" });
  const nowMs = world.clock.nowMs();
  const answer = await world.clock.until(world.produce("t", batchOf(["a"], { timestampMs: 5 })));
  expect(answer.logAppendTimeMs).toBe(nowMs);
  expect((await world.read("t")).values).toHaveLength(1);
});

test("a batch sent again is answered with its first offset and time, not appended (trap 19)", async () => {
  await using world = await worldWith({ "message.timestamp.type": "LogAppendTime" });
  const first = await world.clock.until(world.produce("t", sequenced(0)));
  await world.clock.until(world.produce("t", sequenced(1)));
  await world.clock.advance(5_000);
  const again = await world.clock.until(world.produce("t", sequenced(0)));
  expect(again).toMatchObject({
    errorCode: 0,
    baseOffset: first.baseOffset,
    logAppendTimeMs: first.logAppendTimeMs,
  });
  expect((await world.read("t")).highWatermark).toBe(2);
});

test("a batch sent again while its first is on the way waits for that one", async () => {
  await using world = await worldWith();
  const both = Promise.all([world.produce("t", sequenced(0)), world.produce("t", sequenced(0))]);
  const [first, second] = await world.clock.until(both);
  expect([first?.baseOffset, second?.baseOffset]).toEqual([0, 0]);
  expect((await world.read("t")).highWatermark).toBe(1);
});

test("gaps, old epochs and new epochs that do not begin at 0 are refused (traps 19 and 20)", async () => {
  await using world = await worldWith();
  await codeOf(world, sequenced(0));
  expect(await codeOf(world, sequenced(2))).toBe(ErrorCode.outOfOrderSequenceNumber);
  expect(await codeOf(world, sequenced(3, ["a"], { epoch: 1 }))).toBe(ErrorCode.outOfOrderSequenceNumber);
  expect(await codeOf(world, sequenced(0, ["a"], { epoch: 1 }))).toBe(0);
  expect(await codeOf(world, sequenced(1))).toBe(ErrorCode.invalidProducerEpoch);
});

test("an unknown producer may begin anywhere (trap 20)", async () => {
  await using world = await worldWith();
  expect(await codeOf(world, sequenced(1_000))).toBe(0);
});

test("transactional batches are refused: there are no transactions yet", async () => {
  await using world = await worldWith();
  const records = [{ timestampMs: world.clock.nowMs(), key: null, value: Buffer.from("a") }];
  const sequence = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
  expect(await codeOf(world, buildBatch({ records, ...sequence, isTransactional: true }))).toBe(
    ErrorCode.invalidTxnState,
  );
});

test("a batch on its way when its topic is deleted is answered, not left open", async () => {
  await using world = await worldWith();
  const deletion = world.begin(DeleteTopics, 5, { topicNames: ["t"], timeoutMs: 1_000 });
  const answer = world.produce("t", batchOf(["a"]));
  await world.clock.until(deletion);
  expect([0, ErrorCode.notLeaderOrFollower]).toContain((await world.clock.until(answer)).errorCode);
});

test("producer ids are never handed out twice, over restarts too", async () => {
  const first = await worldWith();
  const ids = new Set<number>();
  const ask = async (world: BrokerWorld) =>
    (await world.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })).producerId;
  for (let round = 0; round < 5; round++) ids.add(await ask(first));
  await first[Symbol.asyncDispose]();
  await using second = await BrokerWorld.start({ files: first.files });
  for (let round = 0; round < 5; round++) ids.add(await ask(second));
  expect(ids.size).toBe(10);
});
