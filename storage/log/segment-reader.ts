import { readRange } from "../snapshots/small-file.ts";
import type { BatchFormat, BatchHeader } from "./batch-format.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged } from "./log-error.ts";

/** The end of the intact batches so far. */
export interface Tail {
  readonly endPosition: number;
  readonly nextOffset: number;
}

/** Receives whole, intact batches in order; answering false ends the walk behind this batch. */
export type OnBatch = (batch: Uint8Array, header: BatchHeader, position: number) => boolean | undefined;

/** Bytes read at a time when batches are gone through one after the other. */
const scanBytes = 1_048_576;

/** Bytes of a segment file, in memory of their own; fewer than asked for at its end. @throws DiskError */
export function readSegment(
  disk: LogDisk,
  path: string,
  range: { position: number; sizeBytes: number },
): Promise<Uint8Array> {
  return disk.openFiles.use(path, "existing", (file) => readRange(disk, file, range));
}

/**
 * Reads and checks the batches from `from` up to `endPosition`.
 *
 * "broken" tells that the bytes at the returned end are no batch; what that means depends on whether they were
 * durable, which the caller knows. @throws DiskError
 */
export async function scanSegment(
  disk: LogDisk,
  path: string,
  range: { from: Tail; endPosition: number },
  onBatch: OnBatch,
): Promise<Tail & { stop: "end" | "broken" | "asked" }> {
  let tail = range.from;
  let neededBytes = 0;
  while (tail.endPosition < range.endPosition) {
    const position = tail.endPosition;
    const restBytes = range.endPosition - position;
    if (neededBytes > restBytes) return { ...tail, stop: "broken" };

    const sizeBytes = Math.min(Math.max(scanBytes, neededBytes), restBytes);
    const bytes = await readSegment(disk, path, { position, sizeBytes });
    const walk = walkBatches(bytes, { format: disk.format, from: tail }, onBatch);
    tail = walk.tail;
    if (walk.stop === "broken" || walk.stop === "asked") return { ...tail, stop: walk.stop };
    if (bytes.length < sizeBytes) return { ...tail, stop: "broken" }; // The file is shorter than it should be.
    neededBytes = walk.neededBytes;
  }
  return { ...tail, stop: "end" };
}

/**
 * The batches of a sealed segment, in order, each checked; views of memory that is not written to again.
 * @throws LogCorruptError, DiskError
 */
export async function* segmentBatches(
  disk: LogDisk,
  segment: { readonly path: string; readonly baseOffset: number; readonly sizeBytes: number },
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly header: BatchHeader }> {
  let tail: Tail = { endPosition: 0, nextOffset: segment.baseOffset };
  let neededBytes = 0;
  while (tail.endPosition < segment.sizeBytes) {
    const position = tail.endPosition;
    const restBytes = segment.sizeBytes - position;
    const sizeBytes = Math.min(Math.max(scanBytes, neededBytes), restBytes);
    const bytes = await readSegment(disk, segment.path, { position, sizeBytes });
    const batches: { bytes: Uint8Array; header: BatchHeader }[] = [];
    const walk = walkBatches(bytes, { format: disk.format, from: tail }, (batch, header) => {
      batches.push({ bytes: batch, header });
      return undefined;
    });
    yield* batches;
    tail = walk.tail;
    const isCutOff = walk.neededBytes > segment.sizeBytes - tail.endPosition;
    if (walk.stop === "broken" || bytes.length < sizeBytes || isCutOff) {
      throw damaged(segment.path, tail.endPosition);
    }
    neededBytes = walk.neededBytes;
  }
}

/**
 * Goes through the batches in `bytes`, which begin at `from`. "short" tells that the next batch reaches beyond
 * `bytes`, and that `neededBytes` from its start on would show it (or its header).
 */
export function walkBatches(
  bytes: Uint8Array,
  { format, from }: { format: BatchFormat; from: Tail },
  onBatch: OnBatch,
): { tail: Tail; stop: "end" | "short" | "broken" | "asked"; neededBytes: number } {
  let at = 0;
  let nextOffset = from.nextOffset;
  const ended = (stop: "end" | "short" | "broken" | "asked", neededBytes = 0) => {
    return { tail: { endPosition: from.endPosition + at, nextOffset }, stop, neededBytes };
  };

  while (at < bytes.length) {
    if (bytes.length - at < format.headerBytes) return ended("short", format.headerBytes);
    const header = format.readHeader(bytes, at);
    if (!isPlausible(header, { format, nextOffset })) return ended("broken");
    if (header.sizeBytes > bytes.length - at) return ended("short", header.sizeBytes);
    if (!format.isIntact(bytes, at, header)) return ended("broken");

    const position = from.endPosition + at;
    const batch = bytes.subarray(at, at + header.sizeBytes);
    at += header.sizeBytes;
    nextOffset = header.nextOffset;
    if (onBatch(batch, header, position) === false) return ended("asked");
  }
  return ended("end");
}

/** Lengths and offsets that a batch here could have: zeros, stale and random bytes are mostly told by these alone. */
function isPlausible(header: BatchHeader, log: { format: BatchFormat; nextOffset: number }): boolean {
  return (
    header.sizeBytes >= log.format.headerBytes &&
    Number.isSafeInteger(header.nextOffset) &&
    header.baseOffset >= log.nextOffset &&
    header.nextOffset > header.baseOffset
  );
}
