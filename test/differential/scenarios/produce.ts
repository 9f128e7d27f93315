import { DescribeProducers } from "#protocol/messages/describe-producers.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { sealBatch } from "#protocol/records/batch.ts";
import { type BatchInput, buildBatch } from "#protocol/records/batch-builder.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { baseTimeMs, batch, fixtures, record, unknownTopicId } from "./fixtures.ts";

/** Where the header's fields are, for batches that the builder refuses to write. */
const at = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  baseSequence: 53,
  count: 57,
};

/** Appending records, wrong ones above all. */
export const produceScenarios: readonly Scenario[] = [
  ...appends({
    "a plain batch": batch(["a", "b"]),
    "a gzip batch": batch(["a", "b"], { compression: "gzip" }),
    "a snappy batch": batch(["a", "b"], { compression: "snappy" }),
    "an lz4 batch": batch(["a", "b"], { compression: "lz4" }),
    "a zstd batch": batch(["a", "b"], { compression: "zstd" }),
    "keys, headers and nulls": buildBatch({
      records: [record(null, { key: Buffer.from(""), headers: [{ key: "h", value: null }] })],
    }),
    "records of no bytes": Buffer.alloc(0),
    "half a header": batch(["a"]).subarray(0, 30),
    "half a batch": batch(["abcdefghijklmnopqrstuvwxyz"]).subarray(0, 70),
    "two batches": Buffer.concat([batch(["a"]), batch(["b"])]),
    "bytes after the batch": Buffer.concat([batch(["a"]), Buffer.from("more")]),
    "a wrong checksum": damaged((view) => view.setUint32(at.crc, 1), { seal: false }),
    "magic 0": damaged((view) => view.setInt8(at.magic, 0)),
    "magic 1": damaged((view) => view.setInt8(at.magic, 1)),
    "magic 3": damaged((view) => view.setInt8(at.magic, 3)),
    "magic -1": damaged((view) => view.setInt8(at.magic, -1)),
    "a length that is too small": damaged((view) => view.setInt32(at.length, 10)),
    "a length that is too great": damaged((view) => view.setInt32(at.length, 10_000)),
    "a negative length": damaged((view) => view.setInt32(at.length, -1)),
    "a count that is too great": damaged((view) => view.setInt32(at.count, 5)),
    "a count that is too small": damaged((view) => view.setInt32(at.count, 1)),
    "a count of nothing": damaged((view) => view.setInt32(at.count, 0)),
    "a negative count": damaged((view) => view.setInt32(at.count, -1)),
    "a last offset that is too great": damaged((view) => view.setInt32(at.lastOffsetDelta, 7)),
    "a last offset that is too small": damaged((view) => view.setInt32(at.lastOffsetDelta, 0)),
    "an unknown codec": damaged((view) => view.setInt16(at.attributes, 6)),
    "a codec that does not fit": damaged((view) => view.setInt16(at.attributes, 1)),
    "a control batch": damaged((view) => view.setInt16(at.attributes, 1 << 5)),
    "a transactional batch without a producer": damaged((view) => view.setInt16(at.attributes, 1 << 4)),
    "unknown attributes": damaged((view) => view.setInt16(at.attributes, 1 << 9)),
    "stamped by the client": damaged((view) => view.setInt16(at.attributes, 1 << 3)),
    "a negative timestamp": buildBatch({ records: [record("a", { timestampMs: -1 })] }),
    "a very negative timestamp": buildBatch({ records: [record("a", { timestampMs: -5 })] }),
    "a greatest timestamp that is wrong": damaged((view) => view.setBigInt64(at.maxTimestamp, 5n)),
    "a base offset": batch(["a", "b"], { baseOffset: 77, leaderEpoch: 9 }),
    "a record cut off": damaged((_, bytes) => bytes.fill(0x7f, 61, 62)),
    "a negative sequence": batch(["a"], { producerId: 9_000, producerEpoch: 0, baseSequence: -1 }),
    "a negative producer epoch": batch(["a"], { producerId: 9_000, producerEpoch: -1, baseSequence: 0 }),
    "a sequence without a producer": batch(["a"], { producerId: -1, producerEpoch: -1, baseSequence: 5 }),
  }),
  // Kafka takes its time to say nothing: one version is enough.
  ...requests(
    Produce,
    { "no records": async (wire) => await appendOf(wire, fixtures.orders, null) },
    { since: Produce.versions[1] },
  ),
  ...requests(Produce, {
    "an unknown topic": (wire) => appendOf(wire, fixtures.unknown, batch(["a"])),
    "a bad topic name": (wire) => appendOf(wire, "bad name!", batch(["a"])),
    "an unknown partition": (wire) => appendOf(wire, fixtures.orders, batch(["a"]), { index: 9 }),
    "a negative partition": (wire) => appendOf(wire, fixtures.orders, batch(["a"]), { index: -1 }),
    "no topics": { acks: -1, timeoutMs: 1_000, topicData: [] },
    "no partitions": {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: fixtures.orders, partitionData: [] }],
    },
    "acks 2": (wire) => appendOf(wire, fixtures.orders, batch(["a"]), { acks: 2 }),
    "acks -2": (wire) => appendOf(wire, fixtures.orders, batch(["a"]), { acks: -2 }),
    "acks 1": async (wire) => await appendOf(wire, await wire.topic("t"), batch(["a"]), { acks: 1 }),
    "a batch that is too large": (wire) => appendOf(wire, fixtures.small, batch(["x".repeat(300)])),
    "a null key where keys are needed": (wire) => appendOf(wire, fixtures.compacted, batch(["a", "b"])),
    "the topic of offsets": (wire) => appendOf(wire, "__consumer_offsets", batch(["a"])),
    "a transactional id": async (wire) => ({
      ...(await appendOf(
        wire,
        fixtures.orders,
        damaged((view) => view.setUint32(at.crc, 1), { seal: false }),
      )),
      transactionalId: "transaction",
    }),
  }),
  scenario(Produce, "no acknowledgement", async (wire) => {
    const topic = await wire.topic("t");
    const request = await appendOf(wire, topic, batch(["a"]), { acks: 0 });
    await wire.send("append", Produce, request, { mayBeSilent: true });
    await wire.send("after", Produce, await appendOf(wire, topic, batch(["b"])));
  }),
  scenario(Produce, "no acknowledgement, an unknown topic", async (wire) => {
    const request = await appendOf(wire, fixtures.unknown, batch(["a"]), { acks: 0 });
    await wire.send("append", Produce, request, { mayBeSilent: true });
  }),
  scenario(Produce, "no acknowledgement, a wrong checksum", async (wire) => {
    const records = damaged((view) => view.setUint32(at.crc, 1), { seal: false });
    const request = await appendOf(wire, fixtures.orders, records, { acks: 0 });
    await wire.send("append", Produce, request, { mayBeSilent: true });
  }),
  scenario(Produce, "one partition twice", async (wire) => {
    const topic = await wire.topic("t");
    const { topicData: [data] = [], ...request } = await appendOf(wire, topic, batch(["a"]));
    const partitionData = [
      { index: 0, records: batch(["a"]) },
      { index: 0, records: batch(["b"]) },
    ];
    await wire.send("append", Produce, { ...request, topicData: [{ ...data, partitionData }] });
  }),
  scenario(Produce, "one good, one bad partition", async (wire) => {
    const topic = await wire.topic("t");
    const { topicData: [data] = [], ...request } = await appendOf(wire, topic, batch(["a"]));
    const partitionData = [
      { index: 0, records: batch(["a"]) },
      { index: 1, records: batch(["b"]) },
    ];
    await wire.send("append", Produce, { ...request, topicData: [{ ...data, partitionData }] });
  }),
  ...topicsWith({
    "a topic that stamps": [{ "message.timestamp.type": "LogAppendTime" }, batch(["a", "b"])],
    "a topic that stamps, compressed": [
      { "message.timestamp.type": "LogAppendTime" },
      batch(["a", "b"], { compression: "gzip" }),
    ],
    "a topic that compresses": [{ "compression.type": "lz4" }, batch(["a", "b"])],
    "a topic of one codec, other codec": [
      { "compression.type": "gzip" },
      batch(["a"], { compression: "zstd" }),
    ],
    "a topic that expands": [
      { "compression.type": "uncompressed" },
      batch(["a", "b"], { compression: "gzip" }),
    ],
    "a timestamp that is too old": [{ "message.timestamp.before.max.ms": "1000" }, batch(["a", "b"])],
    "a timestamp that is too new": [
      { "message.timestamp.after.max.ms": "1000" },
      buildBatch({ records: [record("a", { timestampMs: baseTimeMs + 100 * 365 * 86_400_000 })] }),
    ],
    "a null key of a compacted topic, compressed": [
      { "cleanup.policy": "compact" },
      batch(["a", "b"], { compression: "gzip" }),
    ],
    "keys of a compacted topic": [
      { "cleanup.policy": "compact" },
      buildBatch({ records: [record("a", { key: Buffer.from("k") })] }),
    ],
    "a batch larger than a segment": [
      { "segment.bytes": "1048576", "max.message.bytes": "4000000" },
      batch(["x".repeat(1_100_000)]),
    ],
  }),
  scenario(Produce, "sequences in and out of order", async (wire) => {
    const topic = await wire.topic("t");
    const { producerId, producerEpoch } = await wire.ask(
      InitProducerId,
      { transactionalId: null, transactionTimeoutMs: 1 },
      4,
    );
    for (const [step, baseSequence, epoch = producerEpoch] of [
      ["first", 0],
      ["next", 2],
      ["the same again", 2],
      ["the first again", 0],
      ["a gap", 9],
      ["overlapping", 3],
      ["a new epoch not from 0", 4, producerEpoch + 1],
      ["a new epoch from 0", 0, producerEpoch + 1],
      ["the old epoch", 4, producerEpoch],
    ] as const) {
      const records = batch(["a", "b"], { producerId, producerEpoch: epoch, baseSequence });
      await wire.send(step, Produce, await appendOf(wire, topic, records));
    }
    const topics = [{ name: topic, partitionIndexes: [0] }];
    await wire.send("producers", DescribeProducers, { topics }, { version: 0 });
  }),
  scenario(Produce, "a producer that starts anywhere", async (wire) => {
    const topic = await wire.topic("t");
    const { producerId, producerEpoch } = await wire.ask(
      InitProducerId,
      { transactionalId: null, transactionTimeoutMs: 1 },
      4,
    );
    const records = batch(["a"], { producerId, producerEpoch, baseSequence: 5 });
    await wire.send("at 5", Produce, await appendOf(wire, topic, records));
  }),
  scenario(Produce, "sequences that wrap", async (wire) => {
    const topic = await wire.topic("t");
    const producer = { producerId: 8_000, producerEpoch: 3 };
    for (const baseSequence of [2 ** 31 - 2, 0]) {
      const records = batch(["a", "b"], { ...producer, baseSequence });
      await wire.send(`at ${baseSequence}`, Produce, await appendOf(wire, topic, records));
    }
  }),

  ...requests(InitProducerId, {
    idempotent: { transactionalId: null, transactionTimeoutMs: 60_000 },
    "an empty transactional id": { transactionalId: "", transactionTimeoutMs: 60_000 },
    "no timeout": { transactionalId: null, transactionTimeoutMs: 0 },
    "a negative timeout": { transactionalId: null, transactionTimeoutMs: -1 },
  }),
  ...requests(
    InitProducerId,
    {
      "a producer id without a transaction": {
        transactionalId: null,
        transactionTimeoutMs: 1,
        producerId: 4,
        producerEpoch: 1,
      },
      "an epoch without a producer id": { transactionalId: null, transactionTimeoutMs: 1, producerEpoch: 3 },
      "a producer id without an epoch": { transactionalId: null, transactionTimeoutMs: 1, producerId: 3 },
    },
    { since: 3 },
  ),
  ...requests(DescribeProducers, {
    "no producers": { topics: [{ name: fixtures.orders, partitionIndexes: [0] }] },
    "an unknown topic": { topics: [{ name: fixtures.unknown, partitionIndexes: [0] }] },
    "an unknown partition": { topics: [{ name: fixtures.orders, partitionIndexes: [9] }] },
    "a bad name": { topics: [{ name: "bad name!", partitionIndexes: [0] }] },
    "no topics": { topics: [] },
    "a partition twice": { topics: [{ name: fixtures.orders, partitionIndexes: [0, 0] }] },
  }),
];

/** Each is appended to a topic of its own, and read back. */
function appends(table: Readonly<Record<string, Uint8Array | null>>): Scenario[] {
  return Object.entries(table).flatMap(([name, records]) => topicsWith({ [name]: [{}, records] }));
}

function topicsWith(
  table: Readonly<Record<string, readonly [configs: Record<string, string>, records: Uint8Array | null]>>,
): Scenario[] {
  return Object.entries(table).map(([title, [configs, records]]) =>
    scenario(Produce, title, async (wire) => {
      const topic = await wire.topic("t", { configs });
      await wire.send("append", Produce, await appendOf(wire, topic, records));
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }];
      await wire.send("read", Fetch, { maxWaitMs: 0, topics: [{ topic, partitions }] }, { version: 11 });
    }),
  );
}

async function appendOf(
  wire: Wire,
  name: string,
  records: Uint8Array | null,
  { index = 0, acks = -1 } = {},
): Promise<RequestInput<typeof Produce>> {
  const isKnown = name !== fixtures.unknown && name !== "bad name!";
  const topicId = wire.version < 13 ? undefined : isKnown ? await wire.topicId(name) : unknownTopicId;
  const partitionData = [{ index, records: records as Uint8Array }];
  return { acks, timeoutMs: 10_000, topicData: [{ name, ...(topicId && { topicId }), partitionData }] };
}

/** Two plain records with a lie in their batch, under a checksum that is right unless told otherwise. */
function damaged(
  damage: (view: DataView, bytes: Uint8Array) => void,
  { seal = true, ...input }: Partial<BatchInput> & { seal?: boolean } = {},
): Uint8Array {
  const bytes = batch(["a", "b"], input);
  damage(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes);
  if (seal) sealBatch(bytes, 0, bytes.length);
  return bytes;
}
