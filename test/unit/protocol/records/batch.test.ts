import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import {
  attributeBits,
  attributesOf,
  batchHeaderBytes,
  isIntact,
  readBatches,
  readBatchHeader,
  setLogAppendTime,
  stampBatch,
  withCompression,
} from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { javaBatches } from "./java-batches.ts";

const sample = (): Uint8Array =>
  buildBatch({
    records: [1000, 3000, 2000].map((timestampMs) => ({ timestampMs, key: null, value: Buffer.from("v") })),
  });

/** The batch amid other bytes, as it lies in a frame or a segment. */
function embedded(batch: Uint8Array, position: number): Uint8Array {
  const bytes = new Uint8Array(position + batch.length + 5).fill(0xee);
  bytes.set(batch, position);
  return bytes;
}

test("every header field of a batch from Java is read", () => {
  expect(readBatchHeader(javaBatches.none, 0)).toEqual({
    baseOffset: 100,
    nextOffset: 104,
    sizeBytes: javaBatches.none.length,
    leaderEpoch: 9,
    magic: 2,
    crc: 0x7d79d123,
    attributes: 0x10,
    lastOffsetDelta: 3,
    baseTimestampMs: 1_700_000_000_000,
    maxTimestampMs: 1_700_000_000_006,
    producerId: 7000,
    producerEpoch: 3,
    baseSequence: 42,
    recordCount: 4,
  });
});

test("a header of any bytes is read without failing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: batchHeaderBytes + 3, maxLength: 100 }), (bytes) => {
      const header = readBatchHeader(bytes, 3);
      expect(typeof isIntact(bytes, 3, header)).toBe("boolean");
      expect(typeof attributesOf(header).isControl).toBe("boolean");
    }),
  );
});

describe("stamping", () => {
  test("sets offset and epoch for all safe offsets and leaves the checksum valid", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: -1, max: 0x7fff_ffff }), (baseOffset, leaderEpoch) => {
        const bytes = embedded(sample(), 11);
        stampBatch(bytes, 11, { baseOffset, leaderEpoch });
        const header = readBatchHeader(bytes, 11);
        expect(header).toMatchObject({ baseOffset, leaderEpoch });
        expect(isIntact(bytes, 11, header)).toBe(true);
      }),
    );
  });

  test("touches nothing around the batch", () => {
    const bytes = embedded(sample(), 11);
    stampBatch(bytes, 11, { baseOffset: 2 ** 53 - 1, leaderEpoch: 2 ** 31 - 1 });
    expect(bytes.subarray(0, 11).every((byte) => byte === 0xee)).toBe(true);
    expect(bytes.subarray(-5).every((byte) => byte === 0xee)).toBe(true);
    expect(readBatchHeader(bytes, 11).sizeBytes).toBe(sample().length);
  });
});

test("the log append time replaces every record's time and renews the checksum (trap 15)", () => {
  const bytes = embedded(sample(), 4);
  setLogAppendTime(bytes, 4, 1_800_000_000_123);
  const header = readBatchHeader(bytes, 4);
  expect(header).toMatchObject({ maxTimestampMs: 1_800_000_000_123, baseTimestampMs: 1000 });
  expect(attributesOf(header).timestampType).toBe("logAppendTime");
  expect(isIntact(bytes, 4, header)).toBe(true);
  const records = [...readRecords(bytes.subarray(4, 4 + header.sizeBytes), { decompressedBytesMax: 0 })];
  expect(records.map(({ timestampMs }) => timestampMs)).toEqual(Array(3).fill(1_800_000_000_123));
});

describe("a batch is not intact", () => {
  const batch = sample();
  const header = readBatchHeader(batch, 0);

  test("once any byte under the checksum changes", () => {
    for (let position = 16; position < batch.length; position++) {
      const damaged = Uint8Array.from(batch);
      damaged[position] = (damaged[position] ?? 0) ^ 1;
      expect(isIntact(damaged, 0, readBatchHeader(damaged, 0)), `byte ${position}`).toBe(false);
    }
  });

  test("when its end is missing", () => {
    expect(isIntact(batch.subarray(0, -1), 0, header)).toBe(false);
  });

  test("when its length is below a header's, or negative", () => {
    for (const sizeBytes of [-1, 0, 60, -(2 ** 31) + 12]) {
      expect(isIntact(batch, 0, { ...header, sizeBytes })).toBe(false);
    }
  });

  test("when it is zeros, as a preallocated file's end is", () => {
    const zeros = new Uint8Array(4096);
    expect(isIntact(zeros, 0, readBatchHeader(zeros, 0))).toBe(false);
  });
});

test("attributes survive being written and read", () => {
  for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
    for (const timestampType of ["createTime", "logAppendTime"] as const) {
      for (const [isTransactional, isControl] of [
        [true, false],
        [false, true],
      ] as const) {
        const attributes = attributeBits({ compression, timestampType, isTransactional, isControl });
        expect(attributesOf({ attributes })).toEqual({
          compression,
          timestampType,
          isTransactional,
          isControl,
          hasDeleteHorizon: false,
          hasUnknownBits: false,
        });
      }
    }
  }
  expect(attributesOf({ attributes: 0b1_0100_0101 })).toMatchObject({
    compression: undefined,
    hasDeleteHorizon: true,
    hasUnknownBits: true,
  });
  expect(withCompression(0b111_1001, "zstd")).toBe(0b111_1100);
});

test("walking stops before a last batch that is cut off", () => {
  const batch = sample();
  const bytes = Buffer.concat([batch, batch, batch.subarray(0, -1)]);
  expect([...readBatches(bytes)].map((found) => Buffer.compare(found.batch, batch))).toEqual([0, 0]);
  expect([...readBatches(new Uint8Array(200))]).toEqual([]);
});

test("the checksum starts at the attributes (trap 15)", () => {
  expect(crc32c(javaBatches.zstd.subarray(21))).toBe(javaBatches.zstd.readUInt32BE(17));
});
