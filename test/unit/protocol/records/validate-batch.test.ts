import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BatchHeader, readBatchHeader, sealBatch, writeBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { validateBatch } from "#protocol/records/validate-batch.ts";
import { javaBatches } from "./java-batches.ts";

const limits = { sizeBytesMax: 1_048_588, isZstdAllowed: true };
const batch = buildBatch({
  records: [1000, 2000].map((timestampMs) => ({ timestampMs, key: null, value: Buffer.from("v") })),
});

/** The batch with some header fields changed and the checksum made to fit. */
function changed(fields: Partial<BatchHeader>, from: Uint8Array = batch): Uint8Array {
  const bytes = Uint8Array.from(from);
  writeBatchHeader(bytes, 0, { ...readBatchHeader(from, 0), ...fields });
  sealBatch(bytes, 0, bytes.length);
  return bytes;
}

test("an honest batch is valid and comes with its header", () => {
  expect(validateBatch(batch, limits)).toEqual({
    kind: "valid",
    header: readBatchHeader(batch, 0),
    compression: "none",
  });
});

test.each(Object.entries(javaBatches))(
  "a batch that Java compressed with %s is valid",
  (compression, bytes) => {
    expect(validateBatch(changed({ baseOffset: 0 }, bytes), limits)).toMatchObject({
      kind: "valid",
      compression,
    });
  },
);

test("without a producer id, epoch and sequence 0 as kafkajs sends them are valid", () => {
  expect(validateBatch(changed({ producerEpoch: 0, baseSequence: 0 }), limits).kind).toBe("valid");
});

test("records without a time are valid", () => {
  expect(validateBatch(changed({ baseTimestampMs: -1, maxTimestampMs: -1 }), limits).kind).toBe("valid");
});

describe("trap 16: exactly one whole batch of magic 2", () => {
  test("no batch is an invalid record", () => {
    expect(validateBatch(new Uint8Array(), limits)).toMatchObject({ kind: "invalidRecord" });
  });

  test("two batches are an invalid record", () => {
    expect(validateBatch(Buffer.concat([batch, batch]), limits)).toMatchObject({
      kind: "invalidRecord",
      reason: expect.stringContaining("exactly one"),
    });
  });

  test("older magics get their own verdict, even where they are shorter than a header", () => {
    for (const magic of [0, 1]) {
      const old = Uint8Array.from(batch.subarray(0, 40));
      old[16] = magic;
      expect(validateBatch(old, limits).kind).toBe("unsupportedMagic");
    }
  });

  test("a magic that never was is damage", () => {
    for (const magic of [3, 0x7f, 0xff]) {
      const bytes = Uint8Array.from(batch);
      bytes[16] = magic;
      expect(validateBatch(bytes, limits).kind).toBe("corrupt");
    }
  });

  test("a batch cut off anywhere is no batch", () => {
    for (let sizeBytes = 1; sizeBytes < batch.length; sizeBytes++) {
      expect(validateBatch(batch.subarray(0, sizeBytes), limits).kind, `${sizeBytes} bytes`).toBe(
        "invalidRecord",
      );
    }
  });

  test("a few bytes after the batch are corrupt", () => {
    expect(validateBatch(Buffer.concat([batch, Buffer.alloc(3)]), limits).kind).toBe("corrupt");
  });

  test("a length below the header's, or a negative one, is corrupt", () => {
    for (const sizeBytes of [12, 60, -1, -(2 ** 31) + 12]) {
      expect(validateBatch(changed({ sizeBytes }), limits).kind).toBe("corrupt");
    }
  });

  test("a wrong checksum is corrupt", () => {
    const damaged = Uint8Array.from(batch);
    damaged[batch.length - 1] = 0xff;
    expect(validateBatch(damaged, limits)).toMatchObject({
      kind: "corrupt",
      reason: "Checksum does not match",
    });
  });

  test.each([
    { what: "a base offset of its own", fields: { baseOffset: 5 } },
    { what: "no records", fields: { recordCount: 0, lastOffsetDelta: -1 } },
    { what: "a negative record count", fields: { recordCount: -1, lastOffsetDelta: -2 } },
    { what: "fewer offsets than records", fields: { lastOffsetDelta: 0 } },
    { what: "more offsets than records", fields: { lastOffsetDelta: 2 } },
    { what: "the control bit", fields: { attributes: 0x20 } },
    { what: "a delete horizon", fields: { attributes: 0x40 } },
    { what: "an unknown attribute bit", fields: { attributes: 0x80 } },
    { what: "the highest attribute bit", fields: { attributes: 0x8000 } },
  ])("a batch with $what is an invalid record", ({ fields }) => {
    expect(validateBatch(changed(fields), limits).kind).toBe("invalidRecord");
  });
});

describe("trap 17: the size limit", () => {
  test("counts header and records and includes the limit itself", () => {
    expect(validateBatch(batch, { ...limits, sizeBytesMax: batch.length }).kind).toBe("valid");
    expect(validateBatch(batch, { ...limits, sizeBytesMax: batch.length - 1 }).kind).toBe("tooLarge");
  });
});

describe("trap 19: what idempotence needs", () => {
  const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 };

  test("a producer id comes with epoch and sequence", () => {
    expect(validateBatch(changed(producer), limits).kind).toBe("valid");
    expect(validateBatch(changed({ ...producer, producerEpoch: -1 }), limits).kind).toBe("invalidRecord");
    expect(validateBatch(changed({ ...producer, baseSequence: -1 }), limits).kind).toBe("invalidRecord");
  });

  test("a producer id below -1, or past what a number holds, is an invalid record", () => {
    for (const producerId of [-2, 2 ** 60]) {
      expect(validateBatch(changed({ ...producer, producerId }), limits).kind).toBe("invalidRecord");
    }
  });

  test("a transaction needs a producer id", () => {
    expect(validateBatch(changed({ attributes: 0x10 }), limits).kind).toBe("invalidRecord");
    expect(validateBatch(changed({ ...producer, attributes: 0x10 }), limits).kind).toBe("valid");
  });
});

describe("trap 23: codecs", () => {
  test("ids that no codec has are unsupported", () => {
    for (const attributes of [5, 6, 7]) {
      expect(validateBatch(changed({ attributes }), limits).kind).toBe("unsupportedCompression");
    }
  });

  test("zstd is unsupported below Produce version 7", () => {
    const zstd = changed({ attributes: 4 });
    expect(validateBatch(zstd, limits).kind).toBe("valid");
    expect(validateBatch(zstd, { ...limits, isZstdAllowed: false }).kind).toBe("unsupportedCompression");
  });
});

describe("timestamps", () => {
  test.each([
    { what: "below -1", fields: { baseTimestampMs: -2 } },
    { what: "with a maximum below -1", fields: { maxTimestampMs: -2 } },
    { what: "past what a number holds", fields: { maxTimestampMs: 2 ** 60 } },
    { what: "said to be the broker's (trap 15)", fields: { attributes: 0x08 } },
  ])("$what are invalid", ({ fields }) => {
    expect(validateBatch(changed(fields), limits).kind).toBe("invalidTimestamp");
  });
});

test("any bytes and any mutation get a verdict", () => {
  const mutated = fc
    .array(fc.tuple(fc.nat(batch.length - 1), fc.nat(255)), { maxLength: 4 })
    .map((changes) =>
      changes.reduce((bytes, [where, value]) => bytes.with(where, value), Uint8Array.from(batch)),
    );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      expect(validateBatch(bytes, limits).kind).toMatch(/^[a-zA-Z]+$/);
    }),
    { numRuns: 2000 },
  );
});
