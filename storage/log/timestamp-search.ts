import type { BatchFormat, BatchHeader } from "./batch-format.ts";
import type { DirtyBatches } from "./dirty-batches.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged } from "./log-error.ts";
import type { Segment } from "./segment.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import { scanSegment } from "./segment-reader.ts";

/** A record found by its timestamp. */
export interface TimestampedOffset {
  readonly offset: number;
  readonly timestampMs: number;
  /** Of the record's batch. */
  readonly leaderEpoch: number;
}

/** What a search by time goes through. */
export interface SearchedLog {
  readonly disk: LogDisk;
  readonly indexes: SegmentIndexes;
  readonly indexIntervalBytes: number;
  readonly segments: readonly Segment[];
  readonly dirty: DirtyBatches;
  readonly startOffset: number;
}

/** The first record at or after `timestampMs`, in log order. @throws LogCorruptError, DiskError */
export async function findByTimestamp(
  log: SearchedLog,
  timestampMs: number,
): Promise<TimestampedOffset | undefined> {
  // Both lists as they are now: a flush in the meantime moves batches from the one to the other.
  const dirty = [...log.dirty];
  for (const segment of [...log.segments]) {
    if (segment.maxTimestampMs < timestampMs || segment.nextOffset <= log.startOffset) continue;
    const found = await searchSegment(log, segment, timestampMs);
    if (found) return found;
  }
  for (const { bytes, header } of dirty) {
    const found = searchBatch(log, { bytes, header }, timestampMs);
    if (found) return found;
  }
  return undefined;
}

/** The first record with the largest timestamp of the whole log (KIP-734). @throws LogCorruptError, DiskError */
export async function findMaxTimestamp(log: SearchedLog): Promise<TimestampedOffset | undefined> {
  let maxTimestampMs = -1;
  for (const segment of log.segments) maxTimestampMs = Math.max(maxTimestampMs, segment.maxTimestampMs);
  for (const { header } of log.dirty) maxTimestampMs = Math.max(maxTimestampMs, header.maxTimestampMs);
  return maxTimestampMs < 0 ? undefined : findByTimestamp(log, maxTimestampMs);
}

async function searchSegment(
  log: SearchedLog,
  segment: Segment,
  timestampMs: number,
): Promise<TimestampedOffset | undefined> {
  const index = await log.indexes.of(segment, log.indexIntervalBytes);
  const position = index.offsets.lookup(index.times.lookup(timestampMs));
  let found: TimestampedOffset | undefined;
  const end = await scanSegment(
    log.disk,
    segment.path,
    { from: { endPosition: position, nextOffset: segment.baseOffset }, endPosition: segment.sizeBytes },
    (bytes, header) => {
      found = searchBatch(log, { bytes, header }, timestampMs);
      return found === undefined;
    },
  );
  if (end.stop === "broken") throw damaged(segment.path, end.endPosition);
  return found;
}

function searchBatch(
  { disk, startOffset }: { disk: { format: BatchFormat }; startOffset: number },
  { bytes, header }: { bytes: Uint8Array; header: BatchHeader },
  timestampMs: number,
): TimestampedOffset | undefined {
  if (header.maxTimestampMs < timestampMs || header.nextOffset <= startOffset) return undefined;
  const found = disk.format.findTimestamp(bytes, timestampMs, startOffset);
  if (!found || found.offset < startOffset) return undefined;
  return { ...found, leaderEpoch: header.leaderEpoch };
}
