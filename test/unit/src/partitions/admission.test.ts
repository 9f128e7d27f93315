import { expect, test } from "vitest";
import type { Compression } from "#protocol/compression/compression.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import {
  attributesOf,
  isIntact,
  readBatchHeader,
  sealBatch,
  setMaxTimestamp,
} from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { noDynamicConfigs } from "#src/config/effective-values.ts";
import { type TopicSettings, topicSettings } from "#src/config/topic-settings.ts";
import { type Admission, admitBatch } from "#src/partitions/admission.ts";

const nowMs = 1_700_000_000_000;

function settingsOf(configs: Readonly<Record<string, string>> = {}): TopicSettings {
  return topicSettings(new Map(Object.entries(configs)), { ...noDynamicConfigs, static: new Map() });
}

function admit(
  batch: Uint8Array | null,
  configs: Readonly<Record<string, string>> = {},
  { isZstdAllowed = true } = {},
): Admission {
  return admitBatch(batch, settingsOf(configs), { nowMs, isZstdAllowed });
}

function batch(
  values: readonly string[],
  options: { compression?: Compression; timestampMs?: number; key?: Buffer } = {},
): Uint8Array {
  const { timestampMs = nowMs, key = null, compression = "none" } = options;
  return buildBatch({
    records: values.map((value) => ({ timestampMs, key, value: Buffer.from(value) })),
    compression,
  });
}

const codeOf = (admission: Admission) => (admission.kind === "refused" ? admission.error.code : 0);

function admitted(admission: Admission) {
  if (admission.kind !== "admitted") throw new Error(`refused: ${admission.error.message}`);
  return admission;
}

test("a batch that the topic takes as it is stays the very bytes that came", () => {
  const bytes = batch(["a"], { compression: "gzip" });
  const { batch: taken, logAppendTimeMs } = admitted(admit(bytes));
  expect(taken.bytes).toBe(bytes);
  expect(logAppendTimeMs).toBe(-1);
});

test("nothing, two batches and half a batch are not one batch (trap 16)", () => {
  const one = batch(["a"]);
  expect(codeOf(admit(null))).toBe(ErrorCode.invalidRecord);
  expect(codeOf(admit(Buffer.concat([one, one])))).toBe(ErrorCode.invalidRecord);
  expect(codeOf(admit(one.subarray(0, 30)))).toBe(ErrorCode.invalidRecord);
  expect(codeOf(admit(new Uint8Array(0)))).not.toBe(0);
});

test("sizes are bounded by max.message.bytes and by segment.bytes (trap 17)", () => {
  const large = batch(["x".repeat(2_000_000)]);
  expect(codeOf(admit(large))).toBe(ErrorCode.messageTooLarge);
  const roomy = { "max.message.bytes": "10000000", "segment.bytes": "1048576" };
  expect(codeOf(admit(large, roomy))).toBe(ErrorCode.recordListTooLarge);
});

test("zstd is for clients that know it (trap 23)", () => {
  const bytes = batch(["a".repeat(100)], { compression: "zstd" });
  expect(codeOf(admit(bytes, {}, { isZstdAllowed: false }))).toBe(ErrorCode.unsupportedCompressionType);
  expect(codeOf(admit(bytes))).toBe(0);
});

test("a topic with a codec of its own gets it, record for record (trap 23)", () => {
  const values = ["a".repeat(500), "b", ""];
  for (const codec of ["gzip", "snappy", "lz4", "zstd", "uncompressed"] as const) {
    const taken = admitted(
      admit(batch(values, { compression: "gzip" }), { "compression.type": codec }),
    ).batch;
    const { compression } = attributesOf(readBatchHeader(taken.bytes, 0));
    expect(compression).toBe(codec === "uncompressed" ? "none" : codec);
    const records = [...readRecords(taken.bytes, { decompressedBytesMax: 10_000 })];
    expect(records.map(({ value }) => Buffer.from(value ?? "").toString())).toEqual(values);
    expect(taken.header.sizeBytes).toBe(taken.bytes.length);
  }
});

test("a batch that grows past the limit when the topic's codec is applied is refused", () => {
  const bomb = batch(["a".repeat(3_000_000)], { compression: "zstd" });
  expect(codeOf(admit(bomb, { "compression.type": "uncompressed" }))).toBe(ErrorCode.messageTooLarge);
});

test("the log's time replaces the producer's, of any age, under a new checksum (trap 15)", () => {
  const configs = { "message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": "1" };
  const taken = admitted(admit(batch(["a"], { timestampMs: 5 }), configs));
  expect(taken.logAppendTimeMs).toBe(nowMs);
  expect(taken.batch.header.maxTimestampMs).toBe(nowMs);
  expect(isIntact(taken.batch.bytes, 0, taken.batch.header)).toBe(true);
});

test("times too far from now are refused where the topic minds", () => {
  const configs = { "message.timestamp.before.max.ms": "1000", "message.timestamp.after.max.ms": "2000" };
  const codeAt = (timestampMs: number) => codeOf(admit(batch(["a"], { timestampMs }), configs));
  expect([codeAt(nowMs - 1_000), codeAt(nowMs + 2_000), codeAt(-1)]).toEqual([0, 0, 0]);
  expect([codeAt(nowMs - 1_001), codeAt(nowMs + 2_001)]).toEqual([
    ErrorCode.invalidTimestamp,
    ErrorCode.invalidTimestamp,
  ]);
});

test("each record that is out of time is named, though the last one may be in time", () => {
  const timesOf = (...timestampsMs: readonly number[]) =>
    buildBatch({ records: timestampsMs.map((timestampMs) => ({ timestampMs, key: null, value: null })) });
  const configs = { "message.timestamp.before.max.ms": "1000" };
  expect(admit(timesOf(nowMs - 5_000, nowMs, nowMs - 3_000), configs)).toMatchObject({
    kind: "refused",
    error: { code: ErrorCode.invalidTimestamp, recordErrors: [{ batchIndex: 0 }, { batchIndex: 2 }] },
  });
});

test("a header that misstates its records' greatest time is put right", () => {
  const bytes = batch(["a", "b"]);
  setMaxTimestamp(bytes, 0, 5);
  const { batch: taken } = admitted(admit(bytes));
  expect(taken.header.maxTimestampMs).toBe(nowMs);
  expect(readBatchHeader(taken.bytes, 0).maxTimestampMs).toBe(nowMs);
  expect(isIntact(taken.bytes, 0, taken.header)).toBe(true);
});

test("plain records that do not hold what their lengths promise are invalid, not damaged on the way", () => {
  const bytes = batch(["a"]);
  bytes[61] = 0x7f;
  sealBatch(bytes, 0, bytes.length);
  expect(codeOf(admit(bytes))).toBe(ErrorCode.invalidRecord);
});

test("records without a key are named one by one on a compacted topic, compressed or not (trap 18)", () => {
  for (const compression of ["none", "lz4"] as const) {
    const admission = admit(batch(["a", "b"], { compression }), { "cleanup.policy": "compact" });
    expect(admission).toMatchObject({
      kind: "refused",
      error: { code: ErrorCode.invalidRecord, recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }] },
    });
    const keyed = batch(["a"], { compression, key: Buffer.from("k") });
    expect(codeOf(admit(keyed, { "cleanup.policy": "compact" }))).toBe(0);
  }
});

test("compressed records that cannot be read are damage, also behind a header that is out of time", () => {
  const configs = { "message.timestamp.before.max.ms": "1000" };
  for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
    const bytes = batch(["a".repeat(100)], { compression, timestampMs: nowMs - 5_000 });
    bytes.fill(0xff, 61);
    sealBatch(bytes, 0, bytes.length);
    expect(codeOf(admit(bytes, configs))).toBe(ErrorCode.corruptMessage);
  }
});

test("a header that is out of time though its compressed records are not is put right", () => {
  const configs = { "message.timestamp.after.max.ms": "1000" };
  const bytes = batch(["a", "b"], { compression: "lz4" });
  setMaxTimestamp(bytes, 0, nowMs + 5_000);
  const { batch: taken } = admitted(admit(bytes, configs));
  expect(taken.header.maxTimestampMs).toBe(nowMs);
  expect(isIntact(taken.bytes, 0, taken.header)).toBe(true);
});
