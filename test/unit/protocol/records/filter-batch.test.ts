import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributesOf, isIntact, readBatchHeader, setLogAppendTime } from "#protocol/records/batch.ts";
import { buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";
import { deleteHorizonOf, emptiedBatch, filterBatch, readKeys } from "#protocol/records/filter-batch.ts";
import { readRecords } from "#protocol/records/record.ts";

const bound = { decompressedBytesMax: 1 << 20 };
const horizon = { ...bound, deleteHorizonMs: 9_000_000 };
const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

const records: readonly RecordInput[] = [
  { timestampMs: 1000, key: Buffer.from("a"), value: Buffer.from("one"), headers: [] },
  { timestampMs: 5000, key: Buffer.from("b"), value: null, headers: [] },
  {
    timestampMs: 3000,
    key: Buffer.from("a"),
    value: Buffer.from("two"),
    headers: [{ key: "h", value: Buffer.from("v") }],
  },
  { timestampMs: 2000, key: null, value: Buffer.from("three"), headers: [] },
];

const producer = { producerId: 77, producerEpoch: 3, baseSequence: 12 };

function built(compression: (typeof codecs)[number] = "none"): Uint8Array {
  return buildBatch({ records, compression, baseOffset: 50, leaderEpoch: 4, ...producer });
}

function decoded(batch: Uint8Array | undefined) {
  return batch && [...readRecords(batch, bound)];
}

describe.each(codecs)("with codec %s", (compression) => {
  const batch = built(compression);

  test("kept records keep their offsets, times, keys, values and headers", () => {
    const filtered = filterBatch(batch, { ...horizon, keep: ({ offset }) => offset >= 52 });
    expect(decoded(filtered)).toEqual(decoded(batch)?.slice(2));
  });

  test("the batch keeps its place, codec and producer", () => {
    const filtered = filterBatch(batch, { ...horizon, keep: ({ offset }) => offset === 52 }) ?? batch;
    const header = readBatchHeader(filtered, 0);
    expect(header).toMatchObject({
      baseOffset: 50,
      nextOffset: 54,
      leaderEpoch: 4,
      recordCount: 1,
      maxTimestampMs: 3000,
      sizeBytes: filtered.length,
      ...producer,
    });
    expect(attributesOf(header)).toEqual(attributesOf(readBatchHeader(batch, 0)));
    expect(isIntact(filtered, 0, header)).toBe(true);
  });

  test("the first kept tombstone sets the delete horizon, and no record changes by it", () => {
    const filtered = filterBatch(batch, { ...horizon, keep: () => true }) ?? batch;
    const header = readBatchHeader(filtered, 0);
    expect(deleteHorizonOf(header)).toBe(9_000_000);
    expect(header.maxTimestampMs).toBe(5000);
    expect(decoded(filtered)).toEqual(decoded(batch));
    expect(isIntact(filtered, 0, header)).toBe(true);

    const later = { ...bound, deleteHorizonMs: 10_000_000 };
    expect(filterBatch(filtered, { ...later, keep: () => true })).toBe(filtered);
    const less = filterBatch(filtered, { ...later, keep: ({ offset }) => offset !== 50 });
    expect(deleteHorizonOf(readBatchHeader(less ?? batch, 0))).toBe(9_000_000);
    expect(decoded(less)).toEqual(decoded(batch)?.slice(1));
  });

  test("an emptied batch holds place and sequence with a header alone", () => {
    const empty = emptiedBatch(batch);
    const header = readBatchHeader(empty, 0);
    expect(empty.length).toBe(61);
    expect(header).toMatchObject({
      baseOffset: 50,
      nextOffset: 54,
      leaderEpoch: 4,
      recordCount: 0,
      ...producer,
    });
    expect(header.maxTimestampMs).toBe(5000);
    expect(attributesOf(header).compression).toBe("none");
    expect(isIntact(empty, 0, header)).toBe(true);
    expect(decoded(empty)).toEqual([]);
    expect(emptiedBatch(empty)).toBe(empty);
    expect(filterBatch(empty, { ...horizon, keep: () => true })).toBeUndefined();
  });

  test("keys come with their offsets until the reader has enough", () => {
    const keys: [string, number][] = [];
    const note = (key: Uint8Array, offset: number) => keys.push([Buffer.from(key).toString(), offset]) < 2;
    expect(readKeys(batch, bound, note)).toBe(false);
    expect(keys).toEqual([
      ["a", 50],
      ["b", 51],
    ]);
    expect(readKeys(batch, bound, () => true)).toBe(true);
  });
});

test("what the filter is told of each record", () => {
  const seen: unknown[] = [];
  const keep = ({
    offset,
    key,
    isTombstone,
  }: {
    offset: number;
    key: Uint8Array | null;
    isTombstone: boolean;
  }) => seen.push([offset, key && Buffer.from(key).toString(), isTombstone]) > 0;
  filterBatch(built(), { ...horizon, keep });
  expect(seen).toEqual([
    [50, "a", false],
    [51, "b", true],
    [52, "a", false],
    [53, null, false],
  ]);
});

test("a batch that nothing is taken from is the same object; one that all is taken from is none", () => {
  const plain = buildBatch({ records: records.filter(({ value }) => value) });
  expect(filterBatch(plain, { ...horizon, keep: () => true })).toBe(plain);
  expect(filterBatch(plain, { ...horizon, keep: () => false })).toBeUndefined();
});

test("under LogAppendTime the batch's time stays, horizon or not", () => {
  const batch = built();
  setLogAppendTime(batch, 0, 2500);
  const filtered = filterBatch(batch, { ...horizon, keep: ({ offset }) => offset !== 50 });
  expect(readBatchHeader(filtered ?? batch, 0).maxTimestampMs).toBe(2500);
  expect(decoded(filtered)).toEqual(decoded(batch)?.slice(1));
});

test("any records, any choice: what is kept is what was there", () => {
  const record = fc.record({
    timestampMs: fc.integer({ min: -1, max: 2 ** 45 }),
    key: fc.option(fc.uint8Array({ maxLength: 40 })),
    value: fc.option(fc.uint8Array({ maxLength: 300 })),
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: fc.option(fc.uint8Array()) }), {
      maxLength: 2,
    }),
    isKept: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(...codecs),
      fc.integer({ min: 0, max: 2 ** 45 }),
      (inputs, compression, deleteHorizonMs) => {
        const batch = buildBatch({ records: inputs, compression, baseOffset: 1e6 });
        const keep = ({ offset }: { offset: number }) => inputs[offset - 1e6]?.isKept ?? false;
        const filtered = filterBatch(batch, { ...bound, deleteHorizonMs, keep });
        const expected = decoded(batch)?.filter(keep);
        expect(decoded(filtered) ?? []).toEqual(expected);
        if (!filtered) return;
        const header = readBatchHeader(filtered, 0);
        expect(isIntact(filtered, 0, header)).toBe(true);
        expect(header.maxTimestampMs).toBe(Math.max(...(expected ?? []).map((kept) => kept.timestampMs)));
        const hasTombstone = (expected ?? []).some(({ value }) => value === null);
        expect(deleteHorizonOf(header)).toBe(hasTombstone ? deleteHorizonMs : undefined);
      },
    ),
    { numRuns: 300 },
  );
});
