import type { Compression } from "#protocol/compression/compression.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { attributesOf, readBatchHeader, setLogAppendTime, setMaxTimestamp } from "#protocol/records/batch.ts";
import { recompress } from "#protocol/records/recompress.ts";
import { readRecords } from "#protocol/records/record.ts";
import { type InvalidBatch, validateBatch } from "#protocol/records/validate-batch.ts";
import { validateRecords } from "#protocol/records/validate-records.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import type { AdmittedBatch } from "./partition.ts";

/** Why a batch was not taken, as Produce answers it. */
export interface AdmissionError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Single records that are at fault (KIP-467). */
  readonly recordErrors: readonly {
    readonly batchIndex: number;
    readonly batchIndexErrorMessage: string;
  }[];
}

export type Admission =
  | {
      readonly kind: "admitted";
      readonly batch: AdmittedBatch;
      /** The time that all records got, -1 where they keep the producer's. */
      readonly logAppendTimeMs: number;
      readonly isTransactional: boolean;
    }
  | { readonly kind: "refused"; readonly error: AdmissionError };

export interface AdmissionContext {
  readonly nowMs: number;
  readonly isZstdAllowed: boolean;
}

/** Faults told to the client; one is enough for it to fail, a few help its author. */
const faultsMax = 100;

/** Decompressed bytes of one batch that are looked at, where a topic's settings make us look. */
const decompressedBytesMax = 128 << 20;

/**
 * Judges what a client sent to a partition and turns it into what the log takes, by the topic's settings.
 *
 * Compressed records stay opaque unless there is a need to see them: keys (compaction), a codec of the topic's own, a
 * time in the header for which the batch would have to be refused.
 */
export function admitBatch(
  records: Uint8Array | null,
  settings: TopicSettings,
  { nowMs, isZstdAllowed }: AdmissionContext,
): Admission {
  if (!records) return refuse(ErrorCode.invalidRecord, "Expected exactly one batch, found none");
  const verdict = validateBatch(records, { sizeBytesMax: settings.maxMessageBytes, isZstdAllowed });
  if (verdict.kind !== "valid") return refuse(errorOf(verdict), verdict.reason);
  if (verdict.header.sizeBytes > settings.segmentBytes) {
    return refuse(
      ErrorCode.recordListTooLarge,
      `Batch of ${verdict.header.sizeBytes} bytes exceeds segment.bytes ${settings.segmentBytes}`,
    );
  }

  const keysRequired = settings.cleanupPolicy.compact;
  const wanted = wantedCompression(settings.compressionType) ?? verdict.compression;
  const recompressed = wanted !== verdict.compression;
  const { maxTimestampMs } = verdict.header;
  let times: RecordTimes = { minTimestampMs: maxTimestampMs, maxTimestampMs };
  // A header that alone would refuse the batch is not believed either: nothing vouches for it but its records.
  const isSuspect = settings.timestampType === "CreateTime" && isUntimely(maxTimestampMs, settings, nowMs);
  // Walking plain records costs next to nothing; expanding compressed ones is left to where something hangs on it.
  if (keysRequired || recompressed || isSuspect || verdict.compression === "none") {
    const judged = judgeRecords(records, keysRequired, verdict.compression);
    if ("kind" in judged) return judged;
    times = judged;
    // The time index trusts the header, so a header that is wrong is put right.
    if (times.maxTimestampMs !== maxTimestampMs) setMaxTimestamp(records, 0, times.maxTimestampMs);
  }

  let bytes = records;
  if (recompressed) {
    bytes = recompress(bytes, { compression: wanted, decompressedBytesMax });
    if (bytes.length > settings.maxMessageBytes) {
      return refuse(
        ErrorCode.messageTooLarge,
        `Batch of ${bytes.length} bytes as compression.type wants it exceeds max.message.bytes ${settings.maxMessageBytes}`,
      );
    }
  }
  let logAppendTimeMs = -1;
  if (settings.timestampType === "LogAppendTime") {
    logAppendTimeMs = nowMs;
    setLogAppendTime(bytes, 0, nowMs);
  } else {
    const untimely = judgeTimes(times, records, settings, nowMs);
    if (untimely) return untimely;
  }
  const isChanged = recompressed || logAppendTimeMs >= 0 || times.maxTimestampMs !== maxTimestampMs;
  return {
    kind: "admitted",
    batch: { bytes, header: isChanged ? readBatchHeader(bytes, 0) : verdict.header },
    logAppendTimeMs,
    isTransactional: attributesOf(verdict.header).isTransactional,
  };
}

/** A topic's `compression.type`; undefined leaves the choice to the producer. */
function wantedCompression(compressionType: string): Compression | undefined {
  switch (compressionType) {
    case "uncompressed":
      return "none";
    case "gzip":
    case "snappy":
    case "lz4":
    case "zstd":
      return compressionType;
    default:
      return undefined;
  }
}

function judgeRecords(
  records: Uint8Array,
  isKeyRequired: boolean,
  compression: Compression,
): Admission | RecordTimes {
  const verdict = validateRecords(records, { isKeyRequired, decompressedBytesMax });
  switch (verdict.kind) {
    case "valid": {
      const { minTimestampMs, maxTimestampMs } = verdict;
      return { minTimestampMs, maxTimestampMs };
    }
    case "corrupt":
      // What the checksum vouches for was wrong from the start: no use in sending it again.
      return refuse(
        compression === "none" ? ErrorCode.invalidRecord : ErrorCode.corruptMessage,
        verdict.reason,
      );
    case "tooLarge":
      return refuse(ErrorCode.messageTooLarge, verdict.reason);
    case "invalidRecords":
      return refuse(
        ErrorCode.invalidRecord,
        "One or more records have been rejected",
        verdict.faults.map(({ index, reason }) => ({ batchIndex: index, batchIndexErrorMessage: reason })),
      );
    default:
      return verdict satisfies never;
  }
}

/** The first and the last time of a batch's records; of records that nobody looked at, the last stands for both. */
interface RecordTimes {
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}

/** Of records that were walked and found whole. */
function judgeTimes(
  { minTimestampMs, maxTimestampMs }: RecordTimes,
  records: Uint8Array,
  settings: TopicSettings,
  nowMs: number,
): Admission | undefined {
  const isOut = (timestampMs: number) => isUntimely(timestampMs, settings, nowMs);
  if (!isOut(minTimestampMs) && !isOut(maxTimestampMs)) return undefined;
  const { timestampBeforeMaxMs, timestampAfterMaxMs } = settings;
  const faults: { batchIndex: number; batchIndexErrorMessage: string }[] = [];
  for (const { offset, timestampMs } of readRecords(records, { decompressedBytesMax })) {
    if (!isOut(timestampMs) || faults.length === faultsMax) continue;
    faults.push({ batchIndex: offset, batchIndexErrorMessage: `Timestamp ${timestampMs} is out of range` });
  }
  return refuse(
    ErrorCode.invalidTimestamp,
    `Timestamps from ${minTimestampMs} to ${maxTimestampMs} are out of range: message.timestamp.before.max.ms ` +
      `is ${timestampBeforeMaxMs}, message.timestamp.after.max.ms is ${timestampAfterMaxMs}`,
    faults,
  );
}

function isUntimely(timestampMs: number, settings: TopicSettings, nowMs: number): boolean {
  const { timestampBeforeMaxMs, timestampAfterMaxMs } = settings;
  if (timestampMs === -1) return false; // A record without a time.
  return nowMs - timestampMs > timestampBeforeMaxMs || timestampMs - nowMs > timestampAfterMaxMs;
}

function errorOf(invalid: InvalidBatch): ErrorCode {
  switch (invalid.kind) {
    case "corrupt":
      return ErrorCode.corruptMessage;
    case "tooLarge":
      return ErrorCode.messageTooLarge;
    case "unsupportedMagic":
    case "invalidRecord":
      return ErrorCode.invalidRecord;
    case "unsupportedCompression":
      return ErrorCode.unsupportedCompressionType;
    case "invalidTimestamp":
      return ErrorCode.invalidTimestamp;
    default:
      return invalid satisfies never;
  }
}

function refuse(
  code: ErrorCode,
  message: string,
  recordErrors: AdmissionError["recordErrors"] = [],
): Admission {
  return { kind: "refused", error: { code, message, recordErrors } };
}
