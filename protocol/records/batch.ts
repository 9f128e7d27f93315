import { crc32c } from "../bytes/crc32c.ts";
import { type Compression, compressionId, compressionOf } from "../compression/compression.ts";

/*
 * A record batch, magic 2 (KIP-98), big-endian:
 *
 *   position  bytes  field
 *          0      8  base offset               set by the broker
 *          8      4  batch length              of everything after this field
 *         12      4  partition leader epoch    set by the broker
 *         16      1  magic                     2
 *         17      4  CRC-32C                   of everything after this field
 *         21      2  attributes                0-2 codec | 3 log append time | 4 transactional | 5 control
 *                                              | 6 base timestamp is the delete horizon (KIP-534)
 *         23      4  last offset delta
 *         27      8  base timestamp, ms
 *         35      8  max timestamp, ms
 *         43      8  producer id               -1 none
 *         51      2  producer epoch
 *         53      4  base sequence
 *         57      4  record count
 *         61         records, compressed as a whole
 *
 * What the broker stamps lies outside the checksum, so taking a batch in costs two stores and no hashing.
 */
const at = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** Bytes of a batch before its records. */
export const batchHeaderBytes = 61;

/** Bytes before what "batch length" counts: a batch's size is its length and these. */
export const batchPrefixBytes = 12;

/** The position of the magic byte in every format that Kafka has had. */
export const magicPosition = at.magic;

const codecMask = 0b111;
const logAppendTimeBit = 1 << 3;
const transactionalBit = 1 << 4;
const controlBit = 1 << 5;
const deleteHorizonBit = 1 << 6;
const knownAttributes = 0b111_1111;

/** Whose clock the timestamps are from: the producer's, or the broker's when it appended. */
export type TimestampType = "createTime" | "logAppendTime";

/** A batch's header as it stands; offsets, times and ids are exact up to 2^53 - 1. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** One past the last record's offset; compaction may have removed that record. */
  readonly nextOffset: number;
  /** Header and records together. */
  readonly sizeBytes: number;
  readonly leaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  /** The raw bits; `attributesOf` names them. */
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  /** -1 for a batch of no idempotent producer. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** What a batch's attribute bits say. */
export interface BatchAttributes {
  /** Undefined for an id that no codec has. */
  readonly compression: Compression | undefined;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** True when the base timestamp says until when tombstones and markers stay (KIP-534). */
  readonly hasDeleteHorizon: boolean;
  readonly hasUnknownBits: boolean;
}

/** Reads the header at `position`, where at least `batchHeaderBytes` are. Never fails: nonsense in, nonsense out. */
export function readBatchHeader(bytes: Uint8Array, position: number): BatchHeader {
  const view = viewOf(bytes, position);
  const baseOffset = readInt64(view, at.baseOffset);
  const lastOffsetDelta = view.getInt32(at.lastOffsetDelta);
  return {
    baseOffset,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    sizeBytes: view.getInt32(at.batchLength) + batchPrefixBytes,
    leaderEpoch: view.getInt32(at.leaderEpoch),
    magic: view.getInt8(at.magic),
    crc: view.getUint32(at.crc),
    attributes: view.getUint16(at.attributes),
    lastOffsetDelta,
    baseTimestampMs: readInt64(view, at.baseTimestamp),
    maxTimestampMs: readInt64(view, at.maxTimestamp),
    producerId: readInt64(view, at.producerId),
    producerEpoch: view.getInt16(at.producerEpoch),
    baseSequence: view.getInt32(at.baseSequence),
    recordCount: view.getInt32(at.recordCount),
  };
}

/** Names the bits of `header.attributes`. */
export function attributesOf({ attributes }: Pick<BatchHeader, "attributes">): BatchAttributes {
  return {
    compression: compressionOf(attributes & codecMask),
    timestampType: attributes & logAppendTimeBit ? "logAppendTime" : "createTime",
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    hasDeleteHorizon: (attributes & deleteHorizonBit) !== 0,
    hasUnknownBits: (attributes & ~knownAttributes) !== 0,
  };
}

/** The attribute bits for what a batch is to say. */
export function attributeBits(
  attributes: Pick<BatchAttributes, "timestampType" | "isTransactional" | "isControl"> & {
    readonly compression: Compression;
  },
): number {
  return (
    compressionId(attributes.compression) |
    (attributes.timestampType === "logAppendTime" ? logAppendTimeBit : 0) |
    (attributes.isTransactional ? transactionalBit : 0) |
    (attributes.isControl ? controlBit : 0)
  );
}

/** The same attribute bits with another codec. */
export function withCompression(attributes: number, compression: Compression): number {
  return (attributes & ~codecMask) | compressionId(compression);
}

/** The same attribute bits, saying that the base timestamp is the delete horizon. */
export function withDeleteHorizon(attributes: number): number {
  return attributes | deleteHorizonBit;
}

/** True when the whole batch lies in `bytes`, has magic 2, and its checksum holds. Never throws. */
export function isIntact(
  bytes: Uint8Array,
  position: number,
  { sizeBytes, magic, crc }: Pick<BatchHeader, "sizeBytes" | "magic" | "crc">,
): boolean {
  if (magic !== 2 || sizeBytes < batchHeaderBytes || sizeBytes > bytes.length - position) return false;
  return crc32c(bytes.subarray(position + at.attributes, position + sizeBytes)) === crc;
}

/** Sets in place what the leader decides; the checksum does not cover it. */
export function stampBatch(
  bytes: Uint8Array,
  position: number,
  { baseOffset, leaderEpoch }: { readonly baseOffset: number; readonly leaderEpoch: number },
): void {
  const view = viewOf(bytes, position);
  writeInt64(view, at.baseOffset, baseOffset);
  view.setInt32(at.leaderEpoch, leaderEpoch);
}

/** Makes `timestampMs` the time of every record (`message.timestamp.type=LogAppendTime`), checksum included. */
export function setLogAppendTime(bytes: Uint8Array, position: number, timestampMs: number): void {
  const view = viewOf(bytes, position);
  view.setUint16(at.attributes, view.getUint16(at.attributes) | logAppendTimeBit);
  writeInt64(view, at.maxTimestamp, timestampMs);
  sealBatch(bytes, position, view.getInt32(at.batchLength) + batchPrefixBytes);
}

/** Corrects what the header says of its records' greatest timestamp, checksum included. */
export function setMaxTimestamp(bytes: Uint8Array, position: number, timestampMs: number): void {
  const { sizeBytes } = readBatchHeader(bytes, position);
  writeInt64(viewOf(bytes, position), at.maxTimestamp, timestampMs);
  sealBatch(bytes, position, sizeBytes);
}

/** Writes a header except for its checksum, which `sealBatch` adds once the records are there. */
export function writeBatchHeader(
  bytes: Uint8Array,
  position: number,
  header: Omit<BatchHeader, "nextOffset" | "magic" | "crc">,
): void {
  const view = viewOf(bytes, position);
  writeInt64(view, at.baseOffset, header.baseOffset);
  view.setInt32(at.batchLength, header.sizeBytes - batchPrefixBytes);
  view.setInt32(at.leaderEpoch, header.leaderEpoch);
  view.setInt8(at.magic, 2);
  view.setUint32(at.crc, 0);
  view.setUint16(at.attributes, header.attributes);
  view.setInt32(at.lastOffsetDelta, header.lastOffsetDelta);
  writeInt64(view, at.baseTimestamp, header.baseTimestampMs);
  writeInt64(view, at.maxTimestamp, header.maxTimestampMs);
  writeInt64(view, at.producerId, header.producerId);
  view.setInt16(at.producerEpoch, header.producerEpoch);
  view.setInt32(at.baseSequence, header.baseSequence);
  view.setInt32(at.recordCount, header.recordCount);
}

/** Computes the checksum of the batch of `sizeBytes` at `position` and sets it. */
export function sealBatch(bytes: Uint8Array, position: number, sizeBytes: number): void {
  const crc = crc32c(bytes.subarray(position + at.attributes, position + sizeBytes));
  viewOf(bytes, position).setUint32(at.crc, crc);
}

/**
 * Walks the whole batches in `bytes`, as a log or a fetch answer holds them. Lengths are trusted, checksums are not
 * looked at; a cut-off last batch ends the walk, as it may in an answer to Fetch.
 */
export function* readBatches(bytes: Uint8Array): Generator<{ batch: Uint8Array; header: BatchHeader }> {
  let position = 0;
  while (bytes.length - position >= batchHeaderBytes) {
    const header = readBatchHeader(bytes, position);
    if (header.sizeBytes < batchHeaderBytes || header.sizeBytes > bytes.length - position) return;
    yield { batch: bytes.subarray(position, position + header.sizeBytes), header };
    position += header.sizeBytes;
  }
}

function viewOf(bytes: Uint8Array, position: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + position, batchHeaderBytes);
}

/** Exact up to 2^53 - 1; beyond, rounded, which every check of a bound still sees as too large. */
function readInt64(view: DataView, position: number): number {
  return view.getInt32(position) * 0x1_0000_0000 + view.getUint32(position + 4);
}

function writeInt64(view: DataView, position: number, value: number): void {
  view.setInt32(position, Math.floor(value / 0x1_0000_0000));
  view.setUint32(position + 4, value % 0x1_0000_0000);
}
