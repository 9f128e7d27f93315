import assert from "node:assert/strict";
import { tornBytesMax } from "./log-recovery.ts";

/** How one log rolls, flushes, indexes and keeps its segments; `updateConfig` replaces it while running. */
export interface LogConfig {
  /** A segment is sealed before it would grow past this. At most 2^31 - 1, as index entries are 32 bits wide. */
  readonly segmentBytes: number;
  /** A segment is sealed when a batch comes this much later than its first one. */
  readonly segmentMs: number;
  /** Taken off `segmentMs` so that logs born together do not roll together; the caller draws it once. */
  readonly segmentJitterMs: number;
  /** An index entry is due after this many bytes of batches. */
  readonly indexIntervalBytes: number;
  /** A segment is sealed when one of its indexes reaches this size. */
  readonly segmentIndexBytes: number;
  /** Segments whose largest timestamp is older go; -1 keeps them. */
  readonly retentionMs: number;
  /** Oldest segments go while the rest still holds this much; -1 keeps them. */
  readonly retentionBytes: number;
  /** Largest single write of a flush. */
  readonly writeBytesMax: number;
  /** A checkpoint is written after this many flushed bytes: what a restart has to scan at most. */
  readonly checkpointBytes: number;
  /** Largest read-ahead of a sequential reader. */
  readonly readAheadBytesMax: number;
}

/** Kafka's topic defaults, and block sizes that keep the disk busy without holding memory for long. */
export const defaultLogConfig: LogConfig = Object.freeze({
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10_485_760,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  writeBytesMax: 1_048_576,
  checkpointBytes: 67_108_864,
  readAheadBytesMax: 1_048_576,
});

/** The same, if a log can work with it. */
export function checkedLogConfig(config: LogConfig): LogConfig {
  assert(config.segmentBytes > 0 && config.indexIntervalBytes >= 0 && config.checkpointBytes > 0);
  // What a write leaves unfinished is a torn tail only up to there.
  assert(config.writeBytesMax > 0 && config.writeBytesMax < tornBytesMax);
  assert(config.readAheadBytesMax > 0);
  return config;
}
