import type { LogDisk } from "./log-disk.ts";
import type { Segment, SegmentIndex } from "./segment.ts";
import { readIndex, rebuildIndex, writeIndex } from "./segment-index-files.ts";

/** Indexes of sealed segments, of all logs, held while they are in use and there is room. */
export class SegmentIndexes {
  readonly #disk: LogDisk;
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #held = new Set<Segment>();
  readonly #loading = new Map<Segment, Promise<SegmentIndex>>();
  #sizeBytes = 0;

  constructor(disk: LogDisk, bytesMax = 67_108_864) {
    this.#disk = disk;
    this.#bytesMax = bytesMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A segment's index, from memory, its files, or made anew from its batches. @throws LogCorruptError, DiskError */
  of(segment: Segment, intervalBytes: number): SegmentIndex | Promise<SegmentIndex> {
    if (segment.index) {
      if (this.#held.delete(segment)) this.#held.add(segment);
      return segment.index;
    }
    let loading = this.#loading.get(segment);
    if (!loading) {
      loading = this.#load(segment, intervalBytes).finally(() => this.#loading.delete(segment));
      this.#loading.set(segment, loading);
    }
    return loading;
  }

  /** Makes an index anew that led to a place where no batch begins. @throws LogCorruptError, DiskError */
  async rebuild(segment: Segment, intervalBytes: number): Promise<void> {
    this.forget(segment);
    segment.index = await rebuildIndex(this.#disk, segment, intervalBytes);
    if (segment.isSealed && !segment.isRemoved) {
      await writeIndex(this.#disk, segment);
      this.hold(segment);
    }
  }

  /** Takes over the index of a segment that was just sealed. */
  hold(segment: Segment): void {
    if (!segment.index || segment.isRemoved || this.#held.has(segment)) return;
    this.#held.add(segment);
    this.#sizeBytes += segment.index.sizeBytes;
    for (const oldest of this.#held) {
      if (this.#sizeBytes <= this.#bytesMax) return;
      this.forget(oldest);
    }
  }

  forget(segment: Segment): void {
    if (!this.#held.delete(segment)) return;
    this.#sizeBytes -= segment.index?.sizeBytes ?? 0;
    segment.index = undefined;
  }

  async #load(segment: Segment, intervalBytes: number): Promise<SegmentIndex> {
    const loaded = await readIndex(this.#disk, segment, intervalBytes);
    const index = loaded ?? (await rebuildIndex(this.#disk, segment, intervalBytes));
    segment.index = index;
    if (segment.isSealed) this.hold(segment);
    return index;
  }
}
