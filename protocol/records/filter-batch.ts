import { varintSizeBytes, varlongSizeBytes, writeVarint, writeVarlong } from "../bytes/varint.ts";
import { compress } from "../compression/compression.ts";
import {
  attributeBits,
  attributesOf,
  type BatchHeader,
  batchHeaderBytes,
  readBatchHeader,
  sealBatch,
  withDeleteHorizon,
  writeBatchHeader,
} from "./batch.ts";
import { type DecompressionBound, recordBytes, recordTimestamps } from "./record.ts";
import { RecordCursor } from "./record-cursor.ts";

/** A record as compaction judges it; `key` is a view that is good for the time of the call. */
export interface FilteredRecord {
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly isTombstone: boolean;
}

/** How a batch is filtered. */
export interface BatchFilter extends DecompressionBound {
  /** Called for each record, in order; false takes it out. */
  readonly keep: (record: FilteredRecord) => boolean;
  /** Until when tombstones stay: set where one is kept in a batch that has no such time yet (KIP-534). */
  readonly deleteHorizonMs: number;
}

/** Until when a batch's tombstones stay, in ms since 1970; undefined when nobody has set that yet. */
export function deleteHorizonOf(header: BatchHeader): number | undefined {
  return attributesOf(header).hasDeleteHorizon ? header.baseTimestampMs : undefined;
}

/**
 * The batch with only those records that `keep` wants: the batch itself when nothing changes, undefined when none is left.
 *
 * Everything that readers and the log rely on stays: base offset, end offset, offsets and times of the kept records,
 * the producer's id, epoch and sequence, the codec. Only the largest timestamp becomes that of what is kept.
 * @throws ProtocolError, CompressionError
 */
export function filterBatch(batch: Uint8Array, filter: BatchFilter): Uint8Array | undefined {
  const header = readBatchHeader(batch, 0);
  const records = recordBytes(batch, header, filter);
  const kept = judge(records, header, filter);
  if (kept.ranges.length === 0) return undefined;

  const needsHorizon = kept.hasTombstone && deleteHorizonOf(header) === undefined;
  if (kept.count === header.recordCount && !needsHorizon) return batch;

  const baseTimestampMs = needsHorizon ? filter.deleteHorizonMs : header.baseTimestampMs;
  const payload = needsHorizon
    ? withNewBase(records, kept, recordTimestamps(header), baseTimestampMs)
    : joined(records, kept.ranges);
  return remade(payload, {
    ...header,
    attributes: needsHorizon ? withDeleteHorizon(header.attributes) : header.attributes,
    baseTimestampMs,
    maxTimestampMs: kept.maxTimestampMs,
    recordCount: kept.count,
  });
}

/** The batch without any record: it keeps its place in the log and its producer's sequence. */
export function emptiedBatch(batch: Uint8Array): Uint8Array {
  const header = readBatchHeader(batch, 0);
  if (header.recordCount === 0) return batch;
  const { timestampType, isTransactional, isControl } = attributesOf(header);
  return remade(new Uint8Array(0), {
    ...header,
    attributes: attributeBits({ compression: "none", timestampType, isTransactional, isControl }),
    baseTimestampMs: header.maxTimestampMs,
    recordCount: 0,
  });
}

/** Goes through the keys of a batch that have one, until `onKey` answers false. @throws ProtocolError, CompressionError */
export function readKeys(
  batch: Uint8Array,
  bound: DecompressionBound,
  onKey: (key: Uint8Array, offset: number) => boolean,
): boolean {
  const header = readBatchHeader(batch, 0);
  const cursor = new RecordCursor(recordBytes(batch, header, bound));
  while (cursor.next()) {
    const key = keyOf(cursor);
    if (key && !onKey(key, header.baseOffset + cursor.offsetDelta)) return false;
  }
  return true;
}

interface Range {
  readonly start: number;
  end: number;
}

interface Kept {
  /** Places of kept records in the record bytes; neighbours are one range. */
  readonly ranges: readonly Range[];
  readonly count: number;
  readonly hasTombstone: boolean;
  readonly maxTimestampMs: number;
}

function judge(records: Uint8Array, header: BatchHeader, { keep }: BatchFilter): Kept {
  const timestampOf = recordTimestamps(header);
  const cursor = new RecordCursor(records);
  const ranges: Range[] = [];
  let count = 0;
  let hasTombstone = false;
  let maxTimestampMs = -1;
  while (cursor.next()) {
    const isTombstone = cursor.valueBytes < 0;
    const offset = header.baseOffset + cursor.offsetDelta;
    if (!keep({ offset, key: keyOf(cursor), isTombstone })) continue;
    const last = ranges.at(-1);
    if (last?.end === cursor.recordPosition) last.end = cursor.position;
    else ranges.push({ start: cursor.recordPosition, end: cursor.position });
    count++;
    hasTombstone ||= isTombstone;
    maxTimestampMs = Math.max(maxTimestampMs, timestampOf(cursor.timestampDelta));
  }
  return { ranges, count, hasTombstone, maxTimestampMs };
}

function keyOf({ bytes, keyPosition, keyBytes }: RecordCursor): Uint8Array | null {
  return keyBytes < 0 ? null : bytes.subarray(keyPosition, keyPosition + keyBytes);
}

function joined(records: Uint8Array, ranges: readonly Range[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  let position = 0;
  for (const { start, end } of ranges) {
    bytes.set(records.subarray(start, end), position);
    position += end - start;
  }
  return bytes;
}

/** A record grows at most by this when its timestamp delta is written anew: the delta's 10 bytes, the length's 5. */
const growthBytesMax = 15;

/** Times in records are told from the base timestamp, so a new base means new deltas; all behind them is copied. */
function withNewBase(
  records: Uint8Array,
  kept: Kept,
  timestampOf: (timestampDelta: number) => number,
  baseTimestampMs: number,
): Uint8Array {
  const plainBytes = kept.ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  const bytes = Buffer.allocUnsafe(plainBytes + kept.count * growthBytesMax);
  let position = 0;
  for (const { start, end } of kept.ranges) {
    const cursor = new RecordCursor(records.subarray(start, end));
    while (cursor.next()) {
      const timestampDelta = timestampOf(cursor.timestampDelta) - baseTimestampMs;
      const rest = cursor.bytes.subarray(cursor.keyFieldPosition, cursor.position);
      const length = 1 + varlongSizeBytes(timestampDelta) + varintSizeBytes(cursor.offsetDelta) + rest.length;
      position = writeVarint(bytes, position, length);
      bytes[position++] = 0;
      position = writeVarlong(bytes, position, timestampDelta);
      position = writeVarint(bytes, position, cursor.offsetDelta);
      bytes.set(rest, position);
      position += rest.length;
    }
  }
  return bytes.subarray(0, position);
}

function remade(payload: Uint8Array, header: BatchHeader): Uint8Array {
  const { compression = "none" } = attributesOf(header);
  const records = payload.length === 0 ? payload : compress(compression, payload);
  const made = Buffer.allocUnsafe(batchHeaderBytes + records.length);
  made.set(records, batchHeaderBytes);
  writeBatchHeader(made, 0, { ...header, sizeBytes: made.length });
  sealBatch(made, 0, made.length);
  return made;
}
