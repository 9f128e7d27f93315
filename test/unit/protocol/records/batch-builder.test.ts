import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attributesOf, isIntact, readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { validateBatch } from "#protocol/records/validate-batch.ts";
import { validateRecords } from "#protocol/records/validate-records.ts";
import { javaBatches, javaHeader, javaRecords } from "./java-batches.ts";

const require = createRequire(import.meta.url);
const kafkajs = {
  batch: require("kafkajs/src/protocol/recordBatch/v0").RecordBatch as (
    batch: object,
  ) => Promise<{ buffer: Buffer }>,
  record: require("kafkajs/src/protocol/recordBatch/record/v0") as (record: object) => object,
  long: require("kafkajs/src/utils/long") as { fromValue(value: number): object },
};

const bytes = fc.uint8Array({ maxLength: 200 });
const nullable = fc.option(bytes, { nil: null });
const recordInput: fc.Arbitrary<RecordInput> = fc.record({
  timestampMs: fc.oneof(fc.nat(), fc.integer({ min: -1, max: 2 ** 52 })),
  key: nullable,
  value: nullable,
  headers: fc.array(fc.record({ key: fc.string({ unit: "binary", maxLength: 20 }), value: nullable }), {
    maxLength: 4,
  }),
});

test("an uncompressed batch is byte for byte what Java writes", () => {
  const built = buildBatch({ ...javaHeader, records: javaRecords });
  expect(Buffer.from(built).toString("hex")).toBe(javaBatches.none.toString("hex"));
});

test("an uncompressed batch is byte for byte what kafkajs writes", async () => {
  const records = [
    { timestampMs: 1_700_000_000_000, key: Buffer.from("k"), value: Buffer.from("v") },
    {
      timestampMs: 1_700_000_000_300,
      key: null,
      value: Buffer.alloc(200, 1),
      headers: [{ key: "é", value: bytesOf("x") }],
    },
  ];
  const theirs = await kafkajs.batch({
    firstTimestamp: kafkajs.long.fromValue(1_700_000_000_000),
    maxTimestamp: kafkajs.long.fromValue(1_700_000_000_300),
    lastOffsetDelta: 1,
    records: records.map(({ timestampMs, key, value, headers = [] }, offsetDelta) =>
      kafkajs.record({
        offsetDelta,
        timestampDelta: timestampMs - 1_700_000_000_000,
        key,
        value,
        headers: Object.fromEntries(headers.map((header) => [header.key, header.value])),
      }),
    ),
  });
  const ours = buildBatch({ records, leaderEpoch: 0, producerEpoch: 0, baseSequence: 0 });
  expect(Buffer.from(ours).toString("hex")).toBe(theirs.buffer.toString("hex"));
});

test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)(
  "any records come back from a batch with codec %s, which both validations accept",
  (compression) => {
    fc.assert(
      fc.property(fc.array(recordInput, { minLength: 1, maxLength: 20 }), (records) => {
        const batch = buildBatch({ compression, records });
        const limits = { sizeBytesMax: batch.length, isZstdAllowed: true };
        expect(validateBatch(batch, limits)).toMatchObject({ kind: "valid", compression });
        const rules = { decompressedBytesMax: 100_000, isKeyRequired: false };
        expect(validateRecords(batch, rules)).toMatchObject({ kind: "valid" });
        const decoded = [...readRecords(batch, rules)].map(plain);
        expect(decoded).toEqual(records.map((record, offset) => plain({ offset, ...record })));
      }),
      { numRuns: 60 },
    );
  },
);

test("the header says what was asked for", () => {
  const batch = buildBatch({
    ...javaHeader,
    timestampType: "logAppendTime",
    isControl: true,
    records: [{ timestampMs: 5, key: null, value: null }],
  });
  const header = readBatchHeader(batch, 0);
  expect(header).toMatchObject({
    baseOffset: 100,
    leaderEpoch: 9,
    producerId: 7000,
    producerEpoch: 3,
    baseSequence: 42,
  });
  expect(attributesOf(header)).toMatchObject({
    timestampType: "logAppendTime",
    isControl: true,
    isTransactional: true,
  });
  expect(isIntact(batch, 0, header)).toBe(true);
});

test("a batch without records is a bug", () => {
  expect(() => buildBatch({ records: [] })).toThrow("at least one record");
});

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}

/** Views and buffers of equal content become equal values. */
function plain(record: RecordInput & { offset: number }): unknown {
  const hex = (value: Uint8Array | null): string | null => value && Buffer.from(value).toString("hex");
  return {
    ...record,
    key: hex(record.key),
    value: hex(record.value),
    headers: (record.headers ?? []).map(({ key, value }) => ({ key: key.toWellFormed(), value: hex(value) })),
  };
}
