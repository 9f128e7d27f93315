import assert from "node:assert/strict";
import { varintSizeBytes, varlongSizeBytes, writeVarint, writeVarlong } from "../bytes/varint.ts";
import { type Compression, compress } from "../compression/compression.ts";
import { attributeBits, batchHeaderBytes, sealBatch, type TimestampType, writeBatchHeader } from "./batch.ts";
import type { RecordHeader } from "./record.ts";

/** A record to be written; offsets follow from its place. */
export interface RecordInput {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
}

/** A batch to be written; what is absent is what a plain, uncompressed batch of a fresh log has. */
export interface BatchInput {
  readonly records: readonly RecordInput[];
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly compression?: Compression;
  readonly compressionLevel?: number;
  readonly timestampType?: TimestampType;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
}

/** Writes a batch of at least one record, checksum included. */
export function buildBatch(input: BatchInput): Uint8Array {
  const [first] = input.records;
  assert(first, "a batch holds at least one record");

  const baseTimestampMs = first.timestampMs;
  const sizes = measureRecords(input.records, baseTimestampMs);
  const compression = input.compression ?? "none";
  const batch =
    compression === "none"
      ? plainBatch(input.records, sizes, baseTimestampMs)
      : compressedBatch(input, compression, sizes, baseTimestampMs);
  writeBatchHeader(batch, 0, {
    baseOffset: input.baseOffset ?? 0,
    leaderEpoch: input.leaderEpoch ?? -1,
    sizeBytes: batch.length,
    attributes: attributeBits({
      compression,
      timestampType: input.timestampType ?? "createTime",
      isTransactional: input.isTransactional ?? false,
      isControl: input.isControl ?? false,
    }),
    lastOffsetDelta: input.records.length - 1,
    baseTimestampMs,
    maxTimestampMs: input.records.reduce(
      (max, { timestampMs }) => Math.max(max, timestampMs),
      baseTimestampMs,
    ),
    producerId: input.producerId ?? -1,
    producerEpoch: input.producerEpoch ?? -1,
    baseSequence: input.baseSequence ?? -1,
    recordCount: input.records.length,
  });
  sealBatch(batch, 0, batch.length);
  return batch;
}

/** The length each record announces, and what all take together. */
interface RecordSizes {
  readonly lengths: readonly number[];
  readonly totalBytes: number;
}

function plainBatch(records: readonly RecordInput[], sizes: RecordSizes, baseTimestampMs: number): Buffer {
  const batch = Buffer.allocUnsafe(batchHeaderBytes + sizes.totalBytes);
  writeRecords(batch, batchHeaderBytes, { records, sizes, baseTimestampMs });
  return batch;
}

function compressedBatch(
  { records, compressionLevel }: BatchInput,
  compression: Compression,
  sizes: RecordSizes,
  baseTimestampMs: number,
): Buffer {
  const plain = Buffer.allocUnsafe(sizes.totalBytes);
  writeRecords(plain, 0, { records, sizes, baseTimestampMs });
  const compressed = compress(compression, plain, compressionLevel);
  const batch = Buffer.allocUnsafe(batchHeaderBytes + compressed.length);
  batch.set(compressed, batchHeaderBytes);
  return batch;
}

/** A record's length comes before it, so sizes are known before anything is written, and the batch is made once. */
function measureRecords(records: readonly RecordInput[], baseTimestampMs: number): RecordSizes {
  let totalBytes = 0;
  const lengths = records.map((record, index) => {
    const length =
      1 +
      varlongSizeBytes(record.timestampMs - baseTimestampMs) +
      varintSizeBytes(index) +
      nullableSizeBytes(record.key) +
      nullableSizeBytes(record.value) +
      headersSizeBytes(record.headers);
    totalBytes += varintSizeBytes(length) + length;
    return length;
  });
  return { lengths, totalBytes };
}

function headersSizeBytes(headers: readonly RecordHeader[] = []): number {
  return headers.reduce((sum, { key, value }) => {
    const keyBytes = Buffer.byteLength(key);
    return sum + varintSizeBytes(keyBytes) + keyBytes + nullableSizeBytes(value);
  }, varintSizeBytes(headers.length));
}

function nullableSizeBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSizeBytes(bytes.length) + bytes.length;
}

function writeRecords(
  into: Buffer,
  start: number,
  content: { records: readonly RecordInput[]; sizes: RecordSizes; baseTimestampMs: number },
): void {
  let position = start;
  content.records.forEach((record, index) => {
    position = writeVarint(into, position, content.sizes.lengths[index] ?? 0);
    into[position++] = 0;
    position = writeVarlong(into, position, record.timestampMs - content.baseTimestampMs);
    position = writeVarint(into, position, index);
    position = writeNullable(into, position, record.key);
    position = writeNullable(into, position, record.value);
    position = writeHeaders(into, position, record.headers);
  });
  assert(position === start + content.sizes.totalBytes);
}

function writeHeaders(into: Buffer, start: number, headers: readonly RecordHeader[] = []): number {
  let position = writeVarint(into, start, headers.length);
  for (const { key, value } of headers) {
    position = writeVarint(into, position, Buffer.byteLength(key));
    position += into.write(key, position);
    position = writeNullable(into, position, value);
  }
  return position;
}

function writeNullable(into: Buffer, position: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(into, position, -1);
  const next = writeVarint(into, position, bytes.length);
  into.set(bytes, next);
  return next + bytes.length;
}
