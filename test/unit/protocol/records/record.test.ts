import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";
import { batchHeaderBytes, readBatchHeader, writeBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { javaBatches, javaRecords } from "./java-batches.ts";

const bound = { decompressedBytesMax: 100_000 };

test.each(Object.entries(javaBatches))("records that Java compressed with %s are read", (_, batch) => {
  expect([...readRecords(batch, bound)]).toEqual(
    javaRecords.map((record, index) => ({ offset: 100 + index, ...record })),
  );
});

test("keys and values are views, not copies", () => {
  const batch = buildBatch({ records: [{ timestampMs: 0, key: Buffer.from("k"), value: Buffer.from("v") }] });
  for (const { key, value } of readRecords(batch, bound)) {
    expect(key?.buffer).toBe(batch.buffer);
    expect(value?.buffer).toBe(batch.buffer);
  }
});

test("records that expand past the bound are refused", () => {
  expect(() => [...readRecords(javaBatches.gzip, { decompressedBytesMax: 100 })]).toThrow(CompressionError);
});

describe("malformed records", () => {
  /** A batch around hand-written record bytes. */
  function batchOf(hex: string, recordCount = 1): Uint8Array {
    const records = Buffer.from(hex, "hex");
    const plain = buildBatch({ records: [{ timestampMs: 0, key: null, value: null }] });
    const batch = Buffer.concat([plain.subarray(0, batchHeaderBytes), records]);
    writeBatchHeader(batch, 0, { ...readBatchHeader(plain, 0), sizeBytes: batch.length, recordCount });
    return batch;
  }

  test("the smallest record is well-formed", () => {
    expect([...readRecords(batchOf("0c000000010100"), bound)]).toHaveLength(1);
  });

  test.each([
    { what: "a record longer than the batch", hex: "0e000000010100" },
    { what: "a negative record length", hex: "0b000000010100" },
    { what: "a record without its header count", hex: "0a0000000101" },
    { what: "a key longer than its record", hex: "0c0000000a0100" },
    { what: "a key length below -1", hex: "0c000000030100" },
    { what: "a value that reaches into the next record", hex: "0c00000001040c000000010100" },
    { what: "a negative header count", hex: "0c000000010101" },
    { what: "more headers than bytes", hex: "14000000010180897a0000" },
    { what: "a header without a key", hex: "10000000010102010100" },
    { what: "bytes after the last header", hex: "0e00000001010000" },
    { what: "an offset delta beyond 32 bits", hex: "1a0000ffffffffffff01010100" },
    { what: "a time that no number holds", hex: "1e00ffffffffffffffffff0100010100" },
    { what: "one record where the header says two", hex: "0c000000010100", recordCount: 2 },
    { what: "two records where the header says one", hex: "0c0000000101000c000002010100" },
  ])("are refused: $what", ({ hex, recordCount }) => {
    expect(() => [...readRecords(batchOf(hex, recordCount), bound)]).toThrow(ProtocolError);
  });

  test("any mutation gives records inside the bytes, or a typed error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(javaBatches)),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (batch, changes) => {
          const mutated = Buffer.from(batch);
          for (const [where, value] of changes)
            mutated[batchHeaderBytes + (where % (batch.length - 61))] = value;
          try {
            for (const record of readRecords(mutated, bound)) {
              const sizeBytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
              expect(sizeBytes).toBeLessThanOrEqual(bound.decompressedBytesMax);
            }
          } catch (error) {
            if (!(error instanceof ProtocolError || error instanceof CompressionError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
