import assert from "node:assert/strict";
import type { HeldBatch } from "../cache/batch-columns.ts";
import type { DirtyBatch, DirtyBatches } from "./dirty-batches.ts";
import type { EpochStart } from "./epoch-index.ts";
import { writeCheckpointUnsynced } from "./log-checkpoint.ts";
import type { LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import type { RecoveredLog } from "./log-recovery.ts";
import { Segment, type SegmentFacts, SegmentIndex, segmentName } from "./segment.ts";
import { allSettled, writeIndexUnsynced } from "./segment-index-files.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import { SegmentWriter } from "./segment-writer.ts";

/** What a checkpoint says of the log as a whole. */
export interface CheckpointedFacts {
  readonly startOffset: number;
  readonly epochs: readonly EpochStart[];
  readonly cleanedOffset: number;
}

/**
 * The files of one log: sealed segments, then at most one that is open for more.
 *
 * Calls that return a promise change files and are made one at a time; what they change in memory, they change once
 * the disk has it, so a call that failed on a full disk may be made again.
 */
export class Segments {
  readonly #disk: LogDisk;
  readonly #directory: string;
  readonly #indexes: SegmentIndexes;
  readonly #nowMs: () => number;
  #list: Segment[];
  #writer: SegmentWriter | undefined;
  #flushedOffset: number;
  #uncheckpointedBytes: number;
  /** Names of files that the list has others for, until they are removed for good. */
  #replaced: readonly string[] = [];
  /** The checkpoint on the disk may be that of a replacement that failed. */
  #isReplacementUnsure = false;

  constructor(
    disk: LogDisk,
    log: { directory: string; indexes: SegmentIndexes; nowMs: () => number },
    recovered: Pick<RecoveredLog, "segments" | "nextOffset" | "uncheckpointedBytes">,
  ) {
    this.#disk = disk;
    this.#directory = log.directory;
    this.#indexes = log.indexes;
    this.#nowMs = log.nowMs;
    this.#list = recovered.segments;
    this.#flushedOffset = recovered.nextOffset;
    this.#uncheckpointedBytes = recovered.uncheckpointedBytes;
    const open = this.#list.at(-1);
    if (open && !open.isSealed) {
      this.#writer = new SegmentWriter(disk, open, { exists: true, createdMs: log.nowMs() });
    }
    for (const segment of this.#list) if (segment.isSealed) this.#indexes.hold(segment);
  }

  /** Oldest first. */
  list(): readonly Segment[] {
    return this.#list;
  }

  /** Everything below is durable. */
  get flushedOffset(): number {
    return this.#flushedOffset;
  }

  get sizeBytes(): number {
    return this.#list.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Wall time at which the open segment was begun, or found at a start; undefined when nothing is in it. */
  get openSinceMs(): number | undefined {
    return this.#writer && this.#writer.segment.sizeBytes > 0 ? this.#writer.createdMs : undefined;
  }

  /** Bytes that a restart would scan. */
  get uncheckpointedBytes(): number {
    return this.#uncheckpointedBytes;
  }

  /** The segment with the first batch that ends after `offset`. */
  find(offset: number): Segment | undefined {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#list[middle]?.nextOffset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const segment = this.#list[low];
    return segment && segment.sizeBytes > 0 ? segment : undefined;
  }

  /** Writes the first of the dirty batches, as many as make one write, and answers them. @throws DiskError */
  async writeSome(
    dirty: DirtyBatches,
    config: LogConfig,
    facts: CheckpointedFacts,
  ): Promise<readonly DirtyBatch[]> {
    const first = dirty.at(0);
    assert(first);
    let batches = await this.#takeForOpen(dirty, config);
    if (batches.length === 0) {
      await this.sealOpen(config, facts);
      this.#writer = this.#startSegment(first, config);
      batches = this.#writer.take(dirty, config, this.#nowMs());
    }
    const last = batches.at(-1);
    assert(last && this.#writer);
    await this.#writer.write(batches);
    this.#flushedOffset = last.nextOffset;
    for (const { bytes } of batches) this.#uncheckpointedBytes += bytes.length;
    return batches;
  }

  /**
   * Ends the open segment, if there is one. The checkpoint that counts it as sealed comes before the next
   * segment's file, so that a crash never finds two open ones. @throws DiskError
   */
  async sealOpen(config: LogConfig, facts: CheckpointedFacts): Promise<void> {
    const writer = this.#writer;
    if (!writer) return;
    await this.#indexes.of(writer.segment, config.indexIntervalBytes);
    await writer.seal();
    await this.checkpoint(facts);
    this.#indexes.hold(writer.segment);
    this.#writer = undefined;
  }

  /** Writes the index of the segment that was written last, and the checkpoint. @throws DiskError */
  async checkpoint(facts: CheckpointedFacts): Promise<void> {
    await this.#persist(this.#list, facts, this.#replaced);
    this.#isReplacementUnsure = false;
  }

  /** Leaves the files as Kafka would after a clean stop. @throws DiskError */
  async finish(facts: CheckpointedFacts): Promise<void> {
    await this.#writer?.cutPadding();
    if (this.#uncheckpointedBytes > 0) await this.checkpoint(facts);
  }

  /**
   * Removes sealed segments that end at or before the new start. The checkpoint comes first: a crash in between
   * leaves files that the next opening removes. `onDurable` runs once the new start is. @throws DiskError
   */
  async dropBefore(facts: CheckpointedFacts, onDurable: () => void): Promise<void> {
    await this.checkpoint(facts);
    onDurable();
    const dropped = this.#list.filter((segment) => isBelow(segment, facts.startOffset));
    this.#list = this.#list.filter((segment) => !dropped.includes(segment));
    await this.#removeFiles(dropped);
  }

  /**
   * Begins anew, empty, at an offset behind all that is here. One checkpoint makes the exchange: what a crash leaves of
   * the files lies below the start, and the next opening removes it. `onDurable` runs once the new start is.
   * @throws DiskError
   */
  async restartAt(
    startOffset: number,
    { epochs, cleanedOffset }: Omit<CheckpointedFacts, "startOffset">,
    onDurable: () => void,
  ): Promise<void> {
    assert(startOffset >= this.#flushedOffset);
    const replaced = this.#replaced;
    const facts = { startOffset, nextOffset: startOffset, epochs, cleanedOffset, replaced };
    await writeCheckpointUnsynced(this.#disk, this.#directory, { ...facts, sealed: [], open: null });
    await this.#disk.files.syncDirectory(this.#directory);
    const dropped = this.#list;
    this.#list = [];
    this.#writer = undefined;
    this.#flushedOffset = startOffset;
    this.#uncheckpointedBytes = 0;
    onDurable();
    await this.#removeFiles(dropped);
  }

  /**
   * Puts compacted segments, whose files are durable, in the place of those that they were made of: one checkpoint
   * makes the exchange, so that a crash leaves the ones or the others. False when the old ones are not all there any more.
   * @throws DiskError
   */
  async replace(
    old: readonly Segment[],
    fresh: readonly Segment[],
    facts: CheckpointedFacts,
  ): Promise<boolean> {
    const at = old[0] ? this.#list.indexOf(old[0]) : 0;
    if (at < 0 || !old.every((segment, i) => this.#list[at + i] === segment)) return false;
    const list = [...this.#list.slice(0, at), ...fresh, ...this.#list.slice(at + old.length)];
    const replaced = [...this.#replaced, ...old.map((segment) => segmentName(segment))];

    this.#isReplacementUnsure = true;
    await this.#persist(list, facts, replaced);
    this.#isReplacementUnsure = false;
    this.#list = list;
    this.#replaced = replaced;
    for (const segment of fresh) this.#indexes.hold(segment);
    await this.#removeFiles(old);
    // Only now that they are gone for good may a checkpoint be silent about them.
    this.#replaced = [];
    return true;
  }

  /** Removes the files of compacted segments that did not come into the list. @throws DiskError */
  async discard(made: readonly Segment[], facts: CheckpointedFacts): Promise<void> {
    if (this.#isReplacementUnsure) await this.checkpoint(facts);
    await this.#removeFiles(made.filter((segment) => !this.#list.includes(segment)));
  }

  /** Lets go of files and memory. @throws DiskError */
  async release(): Promise<void> {
    for (const segment of this.#list) {
      this.#indexes.forget(segment);
      await this.#disk.openFiles.forget(segment.path);
    }
  }

  async #takeForOpen(dirty: DirtyBatches, config: LogConfig): Promise<DirtyBatch[]> {
    if (!this.#writer) return [];
    await this.#indexes.of(this.#writer.segment, config.indexIntervalBytes);
    return this.#writer.take(dirty, config, this.#nowMs());
  }

  /** A segment begins where the last one ended, unless a gap is too wide for the index's 31 bits. */
  #startSegment(first: HeldBatch, config: LogConfig): SegmentWriter {
    const isWide = first.nextOffset - this.#flushedOffset > 2 ** 31 - 1;
    const segment = new Segment(this.#directory, isWide ? first.baseOffset : this.#flushedOffset);
    segment.index = new SegmentIndex(segment.baseOffset, config.indexIntervalBytes);
    this.#list.push(segment);
    return new SegmentWriter(this.#disk, segment, { exists: false, createdMs: this.#nowMs() });
  }

  async #persist(
    list: readonly Segment[],
    facts: CheckpointedFacts,
    replaced: readonly string[],
  ): Promise<void> {
    // Side by side: should only the checkpoint survive a crash, the older index still answers, only less closely.
    const last = this.#writer?.segment;
    const index = last && last.sizeBytes > 0 ? writeIndexUnsynced(this.#disk, last) : Promise.resolve();
    await allSettled([index, this.#writeCheckpoint(list, facts, replaced)]);
    await this.#disk.files.syncDirectory(this.#directory);
  }

  async #removeFiles(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) segment.isRemoved = true;
    for (const segment of segments) {
      this.#indexes.forget(segment);
      await this.#disk.openFiles.forget(segment.path);
      for (const path of [segment.indexPath, segment.timeIndexPath, segment.path]) {
        await this.#disk.files.remove(path);
      }
    }
    if (segments.length > 0) await this.#disk.files.syncDirectory(this.#directory);
  }

  /** Durable after the next sync of the directory. */
  async #writeCheckpoint(
    list: readonly Segment[],
    { startOffset, epochs, cleanedOffset }: CheckpointedFacts,
    replaced: readonly string[],
  ): Promise<void> {
    const sealed = list.filter((segment) => segment.isSealed && !isBelow(segment, startOffset));
    const open = list.find((segment) => !segment.isSealed && segment.sizeBytes > 0);
    await writeCheckpointUnsynced(this.#disk, this.#directory, {
      startOffset,
      nextOffset: this.#flushedOffset,
      sealed: sealed.map(factsOf),
      open: open ? factsOf(open) : null,
      // Those of dirty batches come again with the batches.
      epochs: epochs.filter((entry) => entry.startOffset < this.#flushedOffset),
      cleanedOffset,
      replaced,
    });
    this.#uncheckpointedBytes = 0;
  }
}

function isBelow(segment: Segment, startOffset: number): boolean {
  return segment.isSealed && segment.nextOffset <= startOffset;
}

function factsOf(segment: SegmentFacts): SegmentFacts {
  const { baseOffset, generation, nextOffset, sizeBytes } = segment;
  const { firstTimestampMs, maxTimestampMs, maxTimestampBaseOffset } = segment;
  return {
    baseOffset,
    generation,
    nextOffset,
    sizeBytes,
    firstTimestampMs,
    maxTimestampMs,
    maxTimestampBaseOffset,
  };
}
