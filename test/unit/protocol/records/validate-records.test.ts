import { expect, test } from "vitest";
import { readBatchHeader, writeBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { validateRecords } from "#protocol/records/validate-records.ts";
import { javaBatches } from "./java-batches.ts";

const rules = { decompressedBytesMax: 100_000, isKeyRequired: false };

test.each(Object.entries(javaBatches))("records that Java compressed with %s are valid", (_, batch) => {
  expect(validateRecords(batch, rules)).toEqual({
    kind: "valid",
    minTimestampMs: 1_699_999_999_999,
    maxTimestampMs: 1_700_000_000_006,
  });
});

test("null keys on a compacted topic are told by index (trap 18)", () => {
  const verdict = validateRecords(javaBatches.lz4, { ...rules, isKeyRequired: true });
  expect(verdict).toEqual({
    kind: "invalidRecords",
    faults: [{ index: 1, reason: "A compacted topic needs a key in every record" }],
  });
});

test("an empty key is a key (trap 25)", () => {
  const batch = buildBatch({ records: [{ timestampMs: 1, key: new Uint8Array(), value: null }] });
  expect(validateRecords(batch, { ...rules, isKeyRequired: true }).kind).toBe("valid");
});

test("offset deltas that are not dense from 0 are told by index (trap 16)", () => {
  const batch = Buffer.from(javaBatches.none);
  const secondRecord = 61 + 18;
  const offsetDelta = secondRecord + 3; // After length, attributes and timestamp delta, a byte each.
  expect(batch[offsetDelta]).toBe(2); // Zigzag of 1.
  batch[offsetDelta] = 4;
  expect(validateRecords(batch, rules)).toEqual({
    kind: "invalidRecords",
    faults: [{ index: 1, reason: "Expected offset delta 1, found 2" }],
  });
});

test("faults told to the client are bounded", () => {
  const records = Array.from({ length: 500 }, () => ({ timestampMs: 1, key: null, value: null }));
  const verdict = validateRecords(buildBatch({ records }), { ...rules, isKeyRequired: true });
  expect(verdict.kind === "invalidRecords" && verdict.faults.length).toBe(100);
});

test.each([0, 3, 5])("%i records in the header where there are 4 are corrupt (trap 16)", (recordCount) => {
  const batch = Buffer.from(javaBatches.snappy);
  writeBatchHeader(batch, 0, { ...readBatchHeader(batch, 0), recordCount });
  expect(validateRecords(batch, rules).kind).toBe("corrupt");
});

test("a decompression bomb is too large", () => {
  const records = [{ timestampMs: 1, key: null, value: Buffer.alloc(1_000_000) }];
  for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
    expect(validateRecords(buildBatch({ compression, records }), rules).kind).toBe("tooLarge");
  }
});

test("records that do not decompress are corrupt", () => {
  const batch = Buffer.from(javaBatches.gzip).fill(0x55, 61);
  expect(validateRecords(batch, rules).kind).toBe("corrupt");
});
