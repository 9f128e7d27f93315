import { attributesOf, readBatchHeader } from "./batch.ts";
import { type DecompressionBound, recordBytes, recordTimestamps } from "./record.ts";
import { RecordCursor } from "./record-cursor.ts";

/**
 * The first record at or after `timestampMs` inside one whole, intact batch, as ListOffsets by time wants it;
 * undefined when the batch holds none. Records below `fromOffset` do not count: the log begins inside the batch.
 *
 * Under LogAppendTime the header alone answers: all records have one time, so the first of them is found.
 * @throws ProtocolError, CompressionError
 */
export function findTimestamp(
  batch: Uint8Array,
  timestampMs: number,
  { fromOffset = 0, ...bound }: DecompressionBound & { readonly fromOffset?: number },
): { offset: number; timestampMs: number } | undefined {
  const header = readBatchHeader(batch, 0);
  if (header.maxTimestampMs < timestampMs || header.recordCount <= 0) return undefined;
  if (header.nextOffset <= fromOffset) return undefined;
  if (attributesOf(header).timestampType === "logAppendTime") {
    return { offset: Math.max(header.baseOffset, fromOffset), timestampMs: header.maxTimestampMs };
  }

  const timestampOf = recordTimestamps(header);
  const cursor = new RecordCursor(recordBytes(batch, header, bound));
  while (cursor.next()) {
    const offset = header.baseOffset + cursor.offsetDelta;
    const found = timestampOf(cursor.timestampDelta);
    if (offset >= fromOffset && found >= timestampMs) return { offset, timestampMs: found };
  }
  return undefined;
}
