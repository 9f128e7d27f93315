import { dirname } from "node:path/posix";
import { isDiskFull } from "../io/file.ts";
import { readFile, replaceFileUnsynced } from "../snapshots/small-file.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged } from "./log-error.ts";
import { OffsetIndex } from "./offset-index.ts";
import { Segment, SegmentIndex } from "./segment.ts";
import { scanSegment } from "./segment-reader.ts";
import { TimeIndex } from "./time-index.ts";

/** Writes both index files of a segment, durably. @throws DiskError */
export async function writeIndex(disk: LogDisk, segment: Segment): Promise<void> {
  await writeIndexUnsynced(disk, segment);
  await disk.files.syncDirectory(dirname(segment.indexPath));
}

/** As `writeIndex`, but durable only after the directory's next sync. @throws DiskError */
export async function writeIndexUnsynced(disk: LogDisk, segment: Segment): Promise<void> {
  if (!segment.index) return;
  await allSettled([
    replaceFileUnsynced(disk, segment.indexPath, segment.index.offsets.encode()),
    replaceFileUnsynced(disk, segment.timeIndexPath, segment.index.times.encode()),
  ]);
}

/**
 * Waits for all, also when one fails: nothing may still be writing when the caller hears of it. Of several failures it
 * hears of one that no later try can mend.
 */
export async function allSettled(writes: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(writes);
  const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length === 0) return;
  throw failures.find((error) => !isDiskFull(error)) ?? failures[0];
}

/**
 * Reads both index files, as far as they speak of the bytes that `segment` holds; undefined when one is missing or
 * makes no sense. @throws DiskError
 */
export async function readIndex(
  disk: LogDisk,
  segment: Segment,
  intervalBytes: number,
): Promise<SegmentIndex | undefined> {
  const offsetBytes = await readFile(disk, segment.indexPath);
  const timeBytes = await readFile(disk, segment.timeIndexPath);
  if (!offsetBytes || !timeBytes) return undefined;

  // Written at or after the checkpoint that `segment` may come from: entries beyond it are dropped, not refused.
  const limits = { baseOffset: segment.baseOffset, sizeBytes: 2 ** 31, nextOffset: Number.MAX_SAFE_INTEGER };
  const offsets = OffsetIndex.decode(offsetBytes, limits);
  const times = TimeIndex.decode(timeBytes, limits);
  if (!offsets || !times) return undefined;
  offsets.cut(segment.sizeBytes);
  times.cut(segment.nextOffset);
  return new SegmentIndex(segment.baseOffset, intervalBytes, { offsets, times });
}

/** Makes a segment's index anew from its batches. @throws LogCorruptError when they are damaged, DiskError */
export async function rebuildIndex(
  disk: LogDisk,
  segment: Segment,
  intervalBytes: number,
): Promise<SegmentIndex> {
  const fresh = new Segment("", segment.baseOffset);
  fresh.index = new SegmentIndex(segment.baseOffset, intervalBytes);
  const end = await scanSegment(
    disk,
    segment.path,
    { from: { endPosition: 0, nextOffset: segment.baseOffset }, endPosition: segment.sizeBytes },
    (_batch, header) => {
      fresh.note(header);
      return undefined;
    },
  );
  if (end.stop === "broken") throw damaged(segment.path, end.endPosition);
  if (segment.isSealed) fresh.index.noteTime(fresh);
  return fresh.index;
}
