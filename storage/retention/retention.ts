/** What retention needs to know of a segment. */
export interface RetainedSegment {
  readonly sizeBytes: number;
  /** -1 when no record has a timestamp. */
  readonly maxTimestampMs: number;
}

/** How long and how much a log keeps; -1 lifts a limit. */
export interface RetentionLimits {
  readonly nowMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/**
 * How many of the oldest segments may go, by Kafka's rules: those whose newest record is too old, then those
 * without which the rest still holds `retentionBytes`. Only a prefix goes: a log has no holes.
 */
export function expiredSegmentCount(segments: readonly RetainedSegment[], limits: RetentionLimits): number {
  return Math.max(expiredByTime(segments, limits), expiredBySize(segments, limits));
}

function expiredByTime(
  segments: readonly RetainedSegment[],
  { nowMs, retentionMs }: RetentionLimits,
): number {
  if (retentionMs < 0) return 0;
  const kept = segments.findIndex(
    ({ maxTimestampMs }) => maxTimestampMs < 0 || nowMs - maxTimestampMs <= retentionMs,
  );
  return kept < 0 ? segments.length : kept;
}

function expiredBySize(segments: readonly RetainedSegment[], { retentionBytes }: RetentionLimits): number {
  if (retentionBytes < 0) return 0;
  let excessBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, -retentionBytes);
  let count = 0;
  for (const { sizeBytes } of segments) {
    excessBytes -= sizeBytes;
    if (excessBytes < 0) break;
    count++;
  }
  return count;
}
