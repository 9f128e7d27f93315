import { describe, expect, test } from "vitest";
import { readBatchHeader, setLogAppendTime, writeBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { findTimestamp } from "#protocol/records/find-timestamp.ts";

const bound = { decompressedBytesMax: 10_000 };
const records = [1000, 3000, 2000, 3000].map((timestampMs) => ({ timestampMs, key: null, value: null }));

describe.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("with codec %s", (compression) => {
  const batch = buildBatch({ compression, records, baseOffset: 50 });

  test.each([
    { timestampMs: 0, found: { offset: 50, timestampMs: 1000 } },
    { timestampMs: 1000, found: { offset: 50, timestampMs: 1000 } },
    { timestampMs: 1001, found: { offset: 51, timestampMs: 3000 } },
    { timestampMs: 3000, found: { offset: 51, timestampMs: 3000 } },
    { timestampMs: 3001, found: undefined },
  ])(
    "the first record at or after $timestampMs is found inside the batch (trap 35)",
    ({ timestampMs, found }) => {
      expect(findTimestamp(batch, timestampMs, bound)).toEqual(found);
    },
  );
});

test("under LogAppendTime the batch's time is every record's, and nothing is decompressed (trap 35)", () => {
  const batch = buildBatch({ compression: "gzip", records, baseOffset: 50 });
  setLogAppendTime(batch, 0, 2500);
  const nothing = { decompressedBytesMax: 0 };
  expect(findTimestamp(batch, 2500, nothing)).toEqual({ offset: 50, timestampMs: 2500 });
  expect(findTimestamp(batch, 2501, nothing)).toBeUndefined();
});

test("a header that promises a later time than any record has finds nothing", () => {
  const batch = buildBatch({ records });
  writeBatchHeader(batch, 0, { ...readBatchHeader(batch, 0), maxTimestampMs: 9000 });
  expect(findTimestamp(batch, 5000, bound)).toBeUndefined();
});

test("a batch that compaction emptied finds nothing", () => {
  const batch = buildBatch({ records }).subarray(0, 61);
  writeBatchHeader(batch, 0, { ...readBatchHeader(batch, 0), sizeBytes: 61, recordCount: 0 });
  expect(findTimestamp(batch, 0, bound)).toBeUndefined();
});

test("records past the bound are refused", () => {
  const bomb = buildBatch({
    compression: "zstd",
    records: [{ timestampMs: 1, key: null, value: Buffer.alloc(1e6) }],
  });
  expect(() => findTimestamp(bomb, 0, bound)).toThrow(expect.objectContaining({ code: "tooLarge" }));
});

describe("where the log begins inside the batch", () => {
  test.each([
    { timestampMs: 0, fromOffset: 51, found: { offset: 51, timestampMs: 3000 } },
    { timestampMs: 3000, fromOffset: 52, found: { offset: 53, timestampMs: 3000 } },
    { timestampMs: 0, fromOffset: 50, found: { offset: 50, timestampMs: 1000 } },
    { timestampMs: 0, fromOffset: 54, found: undefined },
  ])("records below $fromOffset do not count", ({ timestampMs, fromOffset, found }) => {
    const batch = buildBatch({ records, baseOffset: 50 });
    expect(findTimestamp(batch, timestampMs, { ...bound, fromOffset })).toEqual(found);
  });

  test("under LogAppendTime it begins with the first record that is left", () => {
    const batch = buildBatch({ records, baseOffset: 50 });
    setLogAppendTime(batch, 0, 2500);
    expect(findTimestamp(batch, 2500, { ...bound, fromOffset: 52 })).toEqual({
      offset: 52,
      timestampMs: 2500,
    });
    expect(findTimestamp(batch, 2500, { ...bound, fromOffset: 54 })).toBeUndefined();
  });
});
