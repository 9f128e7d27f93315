import { ProtocolError } from "../bytes/protocol-error.ts";
import { CompressionError } from "../compression/compression-error.ts";
import { type BatchHeader, readBatchHeader } from "./batch.ts";
import { type DecompressionBound, recordBytes, recordTimestamps } from "./record.ts";
import { RecordCursor } from "./record-cursor.ts";

/** A record that may not be written, by its place in the batch: an entry of `record_errors` (KIP-467). */
export interface RecordFault {
  readonly index: number;
  readonly reason: string;
}

/** What the records of a valid batch turned out to be. */
export type RecordsVerdict =
  | {
      readonly kind: "valid";
      /** The records' own extremes, which the header may misstate; -1 where a record has no time. */
      readonly minTimestampMs: number;
      readonly maxTimestampMs: number;
    }
  /** Does not decompress, or its lengths do not hold. */
  | { readonly kind: "corrupt"; readonly reason: string }
  /** Decompresses past the bound. */
  | { readonly kind: "tooLarge"; readonly reason: string }
  | { readonly kind: "invalidRecords"; readonly faults: readonly RecordFault[] };

/** What the topic asks of its records. */
export interface RecordsRules extends DecompressionBound {
  /** A compacted topic keeps the last record of each key and so needs keys. */
  readonly isKeyRequired: boolean;
}

/** Faults told to the client; one is enough for it to fail, a few help its author. */
const faultsMax = 100;

/**
 * Decodes a batch that `validateBatch` found valid and judges each record.
 *
 * Costs a decompression, so it is for topics that need it (compaction) and for tools; allocates the decompressed
 * bytes, up to the bound, and nothing per record.
 */
export function validateRecords(batch: Uint8Array, rules: RecordsRules): RecordsVerdict {
  const header = readBatchHeader(batch, 0);
  try {
    return judgeRecords(new RecordCursor(recordBytes(batch, header, rules)), header, rules);
  } catch (error) {
    if (error instanceof ProtocolError) return { kind: "corrupt", reason: error.message };
    if (error instanceof CompressionError) return { kind: error.code, reason: error.message };
    throw error;
  }
}

function judgeRecords(cursor: RecordCursor, header: BatchHeader, rules: RecordsRules): RecordsVerdict {
  const timestampOf = recordTimestamps(header);
  const faults: RecordFault[] = [];
  let minTimestampMs = Number.POSITIVE_INFINITY;
  let maxTimestampMs = -1;
  let count = 0;
  for (; cursor.next(); count++) {
    const reason = faultOf(cursor, count, rules);
    if (reason && faults.length < faultsMax) faults.push({ index: count, reason });
    const timestampMs = timestampOf(cursor.timestampDelta);
    minTimestampMs = Math.min(minTimestampMs, timestampMs);
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs);
  }
  if (count !== header.recordCount || count === 0) {
    return { kind: "corrupt", reason: `Batch claims ${header.recordCount} records and holds ${count}` };
  }
  return faults.length > 0
    ? { kind: "invalidRecords", faults }
    : { kind: "valid", minTimestampMs, maxTimestampMs };
}

function faultOf(cursor: RecordCursor, index: number, rules: RecordsRules): string | undefined {
  if (cursor.offsetDelta !== index) return `Expected offset delta ${index}, found ${cursor.offsetDelta}`;
  if (rules.isKeyRequired && cursor.keyBytes < 0) return "A compacted topic needs a key in every record";
  return undefined;
}
