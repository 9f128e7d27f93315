/** What the choice of segments to compact is made from. */
export interface CompactedSegment {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly sizeBytes: number;
  /** Of its first batch; -1 when it has none. */
  readonly firstTimestampMs: number;
  /** -1 when no record has a timestamp. */
  readonly maxTimestampMs: number;
  readonly isSealed: boolean;
}

/** When and how a log is compacted, by Kafka's rules. */
export interface CompactionRules {
  /** Share of dirty bytes above which a log is due. */
  readonly minDirtyRatio: number;
  /** Records younger than this stay as they are, and with them all that came after. */
  readonly minLagMs: number;
  /** A log is due, whatever its ratio, when a dirty record is older than this. */
  readonly maxLagMs: number;
  /** How long a tombstone can be read after it was compacted for the first time. */
  readonly deleteRetentionMs: number;
}

/** The part of a log that could be compacted now. */
export interface CompactableRange {
  /** Below it, no key was left twice when the log was compacted last. */
  readonly dirtyOffset: number;
  /** One past the last segment that may be looked at. */
  readonly endOffset: number;
  readonly cleanBytes: number;
  readonly dirtyBytes: number;
  /** 0 when nothing is dirty. */
  readonly dirtyRatio: number;
  readonly isDue: boolean;
}

/**
 * What of a log may be compacted, and whether it is worth it now. `segments` are oldest first; what lies below
 * `cleanedOffset` was compacted before. The open segment, and what came too recently, is left alone.
 */
export function compactableRange(
  segments: readonly CompactedSegment[],
  log: { readonly cleanedOffset: number; readonly startOffset: number },
  { nowMs, rules }: { readonly nowMs: number; readonly rules: CompactionRules },
): CompactableRange {
  const dirtyOffset = Math.max(log.cleanedOffset, log.startOffset);
  let endOffset = dirtyOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    if (!segment.isSealed || segment.sizeBytes === 0) break;
    if (segment.nextOffset <= dirtyOffset) {
      cleanBytes += segment.sizeBytes;
      continue;
    }
    if (rules.minLagMs > 0 && segment.maxTimestampMs > nowMs - rules.minLagMs) break;
    dirtyBytes += segment.sizeBytes;
    endOffset = segment.nextOffset;
    if (segment.firstTimestampMs >= 0) oldestMs = Math.min(oldestMs, segment.firstTimestampMs);
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes);
  const isDue = dirtyRatio > rules.minDirtyRatio || nowMs - oldestMs > rules.maxLagMs;
  return { dirtyOffset, endOffset, cleanBytes, dirtyBytes, dirtyRatio, isDue };
}
