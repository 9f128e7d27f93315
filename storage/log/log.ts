import assert from "node:assert/strict";
import type { BatchCache, LogCache } from "../cache/batch-cache.ts";
import type { AlignedMemory } from "../io/aligned-loan.ts";
import type { FileSystem } from "../io/file.ts";
import { type CompactableRange, type CompactionRules, compactableRange } from "../retention/compaction.ts";
import { expiredSegmentCount } from "../retention/retention.ts";
import type { Checksum } from "../snapshots/small-file.ts";
import type { BatchFormat, BatchHeader } from "./batch-format.ts";
import { DirtyBatches } from "./dirty-batches.ts";
import type { DirtyBudget } from "./dirty-budget.ts";
import type { EpochStart } from "./epoch-index.ts";
import { FileChanges } from "./file-changes.ts";
import { LogBounds } from "./log-bounds.ts";
import { type CompactionReport, type CompactionRequest, compactLog } from "./log-compaction.ts";
import { checkedLogConfig, type LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import { LogClosedError, type LogCorruptError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { type RecoveredLog, recoverLog, type TornTail } from "./log-recovery.ts";
import type { LogSlice, ReadRequest } from "./log-slice.ts";
import { OpenFiles } from "./open-files.ts";
import type { Segment, SegmentFacts } from "./segment.ts";
import { SegmentIndexes } from "./segment-indexes.ts";
import { Segments } from "./segments.ts";
import type { TimestampedOffset } from "./timestamp-search.ts";

/** What a log is opened with. */
export interface LogOptions {
  readonly files: FileSystem;
  /** Made when missing. */
  readonly directory: string;
  readonly format: BatchFormat;
  readonly checksum: Checksum;
  readonly arena: AlignedMemory;
  readonly cache: BatchCache;
  readonly config: LogConfig;
  readonly dirty: DirtyBudget;
  readonly nowMs: () => number;
  /** Opens with what is intact instead of refusing damage; damaged batches are still never served. */
  readonly acceptCorruption?: boolean;
  /** Everything below is known to be durable in the segments: an end before it is damage. */
  readonly durableOffset?: number;
  /** Open files and indexes, shared by the logs of a node. */
  readonly openFiles?: OpenFiles;
  readonly indexes?: SegmentIndexes;
}

/**
 * One partition's committed batches: the newest in memory, all others in segments.
 *
 * startOffset ≤ flushedOffset ≤ nextOffset. What lies below `flushedOffset` is durable in segments; the rest is
 * the journal's to remember, and its owner appends it again after a restart. Appends are synchronous; all that
 * changes files runs one after the other.
 */
export class Log implements AsyncDisposable {
  readonly directory: string;
  /** What was found damaged and given up at opening, under `acceptCorruption`. */
  readonly damage: readonly LogCorruptError[];
  /** What an unfinished write had left, and opening cut off. */
  readonly tornTail: TornTail | undefined;
  readonly #disk: LogDisk;
  readonly #bounds: LogBounds;
  readonly #segments: Segments;
  readonly #dirty: DirtyBatches;
  readonly #cache: LogCache;
  readonly #reader: LogReader;
  readonly #changes: FileChanges;
  #config: LogConfig;
  /** No more appends and reads; changes to files may still come. */
  #isClosed = false;
  #queuedFlush: Promise<void> | undefined;
  #compaction: Promise<CompactionReport | undefined> | undefined;

  /** Opens a log, or makes an empty one. @throws LogCorruptError, DiskError */
  static async open(options: LogOptions): Promise<Log> {
    const openFiles = options.openFiles ?? new OpenFiles(options.files);
    const disk: LogDisk = { ...options, openFiles };
    // A directory with a file in it was durable before the file was made.
    const names = await options.files.list(options.directory);
    if (names.length === 0) await options.files.makeDirectory(options.directory);
    const recovered = await recoverLog(disk, names, {
      directory: options.directory,
      indexIntervalBytes: options.config.indexIntervalBytes,
      durableOffset: options.durableOffset ?? 0,
      acceptCorruption: options.acceptCorruption ?? false,
    });
    const log = new Log(disk, options, recovered);
    // The old checkpoint speaks of bytes that are gone: the next start must not find them missing again.
    if (recovered.damage.length > 0) await log.checkpoint();
    return log;
  }

  private constructor(disk: LogDisk, options: LogOptions, recovered: RecoveredLog) {
    this.directory = options.directory;
    this.#disk = disk;
    this.#config = checkedLogConfig(options.config);
    const indexes = options.indexes ?? new SegmentIndexes(disk);
    this.#bounds = new LogBounds(recovered);
    this.#segments = new Segments(disk, { ...options, indexes }, recovered);
    this.#dirty = new DirtyBatches(options.format, options.dirty, options.nowMs);
    this.#cache = options.cache.forLog();
    this.#reader = new LogReader({
      disk,
      bounds: this.#bounds,
      segments: this.#segments,
      indexes,
      dirty: this.#dirty,
      cache: this.#cache,
      config: () => this.#config,
    });
    this.#changes = new FileChanges(options.directory);
    this.damage = recovered.damage;
    this.tornTail = recovered.tornTail;
  }

  get startOffset(): number {
    return this.#bounds.startOffset;
  }

  /** One past the last record that was appended. */
  get nextOffset(): number {
    return this.#bounds.nextOffset;
  }

  /** Everything below is durable in the segments. */
  get flushedOffset(): number {
    return this.#segments.flushedOffset;
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes + this.#dirty.sizeBytes;
  }

  /** Bytes of batches that are not in the segments yet. */
  get unflushedBytes(): number {
    return this.#dirty.sizeBytes;
  }

  /** Memory that those batches take. */
  get dirtyBytes(): number {
    return this.#dirty.memoryBytes;
  }

  /** When the oldest of the dirty batches came, as `nowMs` told it; undefined when all is flushed. */
  get dirtySinceMs(): number | undefined {
    return this.#dirty.sinceMs;
  }

  get config(): LogConfig {
    return this.#config;
  }

  /** Acts from the next flush and the next `applyRetention` on. */
  updateConfig(config: LogConfig): void {
    this.#config = checkedLogConfig(config);
  }

  /** Takes in a committed batch, by reference: nobody may write to its bytes any more. Gaps in the offsets are legal. */
  append(bytes: Uint8Array, header: BatchHeader): void {
    if (this.#isClosed) throw new LogClosedError(this.directory);
    assert(header.baseOffset >= this.#bounds.nextOffset);
    assert(header.nextOffset > header.baseOffset);
    assert(Number.isSafeInteger(header.nextOffset));
    assert(bytes.length === header.sizeBytes);

    const { baseOffset, nextOffset } = header;
    const held = { bytes, baseOffset, nextOffset };
    this.#dirty.push(held);
    this.#cache.put(held, this.#bounds.nextOffset);
    this.#bounds.append(header);
  }

  /**
   * Writes what was appended so far to the segments, durably. Calls that come before it began share one run.
   * @throws DiskError; after "full" everything is still there and a later flush may succeed, after "io" none will.
   */
  flush(): Promise<void> {
    this.#queuedFlush ??= this.#changes.run(() => {
      this.#queuedFlush = undefined;
      return this.#writeDirty();
    });
    return this.#queuedFlush;
  }

  /**
   * Whole batches from the one that contains `offset` on: at once when memory holds them, else from segments. May
   * hold less than asked for; holds nothing only at the end, or when the first batch is over the limits.
   * @throws OffsetOutOfRangeError, LogCorruptError, DiskError
   */
  read(request: ReadRequest): LogSlice | Promise<LogSlice> {
    if (this.#isClosed) throw new LogClosedError(this.directory);
    return this.#reader.read(request);
  }

  /** The first record at or after `timestampMs`. @throws LogCorruptError, DiskError */
  offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | undefined> {
    return this.#reader.offsetForTimestamp(timestampMs);
  }

  /** The first record with the largest timestamp. @throws LogCorruptError, DiskError */
  maxTimestamp(): Promise<TimestampedOffset | undefined> {
    return this.#reader.maxTimestamp();
  }

  /** The leader epoch of the batch at `offset`, -1 before the first. */
  epochAt(offset: number): number {
    return this.#bounds.epochs.epochAt(offset);
  }

  /** Leader epochs of the log's batches, oldest first. */
  epochs(): readonly EpochStart[] {
    return this.#bounds.epochs.entries();
  }

  /** Where `epoch`, or the largest below it, ends; (-1, -1) for one that no batch here has reached. */
  endOffsetOfEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#bounds.epochs.endOffsetOf(epoch, this.#bounds.nextOffset);
  }

  /** Moves the start of the log, durably, and removes whole segments below it (DeleteRecords). @throws DiskError */
  trimTo(offset: number): Promise<void> {
    return this.#changes.run(async () => {
      if (offset <= this.startOffset) return;
      this.#bounds.check(offset);
      if (offset > this.flushedOffset) await this.#writeDirty();
      if (offset >= this.flushedOffset) await this.#segments.sealOpen(this.#config, this.#bounds.facts());
      await this.#dropBefore(offset);
    });
  }

  /**
   * Drops everything and begins anew, empty, at an offset behind all that is here, all at once: for a replica whose
   * leader has nothing left of what it has. @throws DiskError
   */
  restartAt(startOffset: number, epochs: readonly EpochStart[]): Promise<void> {
    return this.#changes.run(() =>
      this.#segments.restartAt(startOffset, { epochs, cleanedOffset: this.#bounds.cleanedOffset }, () => {
        this.#bounds.restartAt(startOffset, epochs);
        this.#dirty.clear();
        this.#cache.clear();
        this.#reader.forgetTrails();
      }),
    );
  }

  /**
   * Removes the segments that retention by time and size lets go, as far as they lie below `upToOffset`: what its caller
   * must know of them first may be older than what was flushed meanwhile. @throws DiskError
   */
  applyRetention({
    nowMs,
    upToOffset = Infinity,
  }: {
    readonly nowMs: number;
    readonly upToOffset?: number;
  }): Promise<{ removedSegments: number }> {
    return this.#changes.run(async () => {
      const { retentionMs, retentionBytes } = this.#config;
      const written = this.#segments.list().filter((segment) => segment.sizeBytes > 0);
      const expired = written.slice(0, expiredSegmentCount(written, { nowMs, retentionMs, retentionBytes }));
      const count = expired.filter(({ nextOffset }) => nextOffset <= upToOffset).length;
      if (count === 0) return { removedSegments: 0 };
      if (count === written.length) await this.#segments.sealOpen(this.#config, this.#bounds.facts());
      await this.#dropBefore(Math.max(this.startOffset, written[count]?.baseOffset ?? this.flushedOffset));
      return { removedSegments: count };
    });
  }

  /** What of the log could be compacted now. */
  compactable(by: { readonly nowMs: number; readonly rules: CompactionRules }): CompactableRange {
    return compactableRange(this.#segments.list(), this.#bounds, by);
  }

  /**
   * Ends the open segment when it was begun `segmentMs` ago: without it, what a quiet log got last would never be
   * compacted. @throws DiskError
   */
  async sealAged({ nowMs }: { nowMs: number }): Promise<void> {
    if (!this.#isAged(nowMs)) return;
    await this.#changes.run(async () => {
      if (this.#isAged(nowMs)) await this.#segments.sealOpen(this.#config, this.#bounds.facts());
    });
  }

  /**
   * Keeps the last record of each key in the sealed segments, and writes the others anew; one run at a time, beside
   * reads and appends. Undefined when nothing can be compacted. @throws LogCorruptError, LogClosedError, DiskError
   */
  async compact(request: CompactionRequest): Promise<CompactionReport | undefined> {
    if (this.#isClosed) throw new LogClosedError(this.directory);
    assert(!this.#compaction);
    const range = this.compactable(request);
    if (range.dirtyBytes === 0) return undefined;
    const target = {
      disk: this.#disk,
      directory: this.directory,
      config: this.#config,
      segments: this.#segments.list(),
      flushedOffset: this.flushedOffset,
      isClosed: () => this.#isClosed,
      replace: (old: readonly Segment[], fresh: readonly Segment[], cleanedOffset: number) =>
        this.#replace(old, fresh, cleanedOffset),
      discard: (made: readonly Segment[]) =>
        this.#changes.run(() => this.#segments.discard(made, this.#bounds.facts())),
    };
    this.#compaction = compactLog(target, range, request);
    try {
      return await this.#compaction;
    } finally {
      this.#compaction = undefined;
    }
  }

  /**
   * Goes through all batches from the one that contains `fromOffset` to the end, checked; appends meanwhile are
   * seen too. Views are valid after the call. @throws OffsetOutOfRangeError, LogCorruptError, DiskError
   */
  scan(fromOffset: number, onBatch: (batch: Uint8Array, header: BatchHeader) => void): Promise<void> {
    return this.#reader.scan(fromOffset, onBatch);
  }

  /** Facts of the segments, oldest first; sealed ones never change again. */
  segments(): readonly (SegmentFacts & { readonly isSealed: boolean; readonly path: string })[] {
    return this.#segments.list();
  }

  /** Makes a restart cheap: it scans only what is flushed after this. @throws DiskError */
  checkpoint(): Promise<void> {
    return this.#changes.run(() => this.#segments.checkpoint(this.#bounds.facts()));
  }

  /** Flushes, cuts the padding and writes indexes and checkpoint; the files are closed even when that fails. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#compactionEnd();
      await this.#changes.run(async () => {
        await this.#writeDirty();
        await this.#segments.finish(this.#bounds.facts());
      });
    } finally {
      await this.#release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closes without a flush: what is dirty is the journal's, or nobody's any more. */
  async abandon(): Promise<void> {
    this.#isClosed = true;
    await this.#compactionEnd();
    await this.#changes.settled;
    await this.#release();
  }

  /** Closes without a flush and removes the directory with everything in it. @throws DiskError */
  async remove(): Promise<void> {
    await this.abandon();
    await this.#disk.files.removeDirectory(this.directory);
  }

  async #writeDirty(): Promise<void> {
    const endOffset = this.nextOffset;
    while (this.#dirty.count > 0 && this.flushedOffset < endOffset) {
      const batches = await this.#segments.writeSome(this.#dirty, this.#config, this.#bounds.facts());
      this.#dirty.shift(batches.length);
      if (this.#segments.uncheckpointedBytes >= this.#config.checkpointBytes) {
        await this.#segments.checkpoint(this.#bounds.facts());
      }
    }
  }

  async #dropBefore(startOffset: number): Promise<void> {
    await this.#segments.dropBefore(this.#bounds.factsFrom(startOffset), () => {
      // Before a segment leaves the list: a reader below the new start must be told so, not be given what comes next.
      this.#bounds.trimTo(startOffset);
      this.#cache.trimTo(startOffset);
      this.#reader.forgetTrails();
    });
  }

  #replace(old: readonly Segment[], fresh: readonly Segment[], cleanedOffset: number): Promise<boolean> {
    return this.#changes.run(async () => {
      const cleaned = Math.max(cleanedOffset, this.#bounds.cleanedOffset);
      const facts = { ...this.#bounds.facts(), cleanedOffset: cleaned };
      const isReplaced = await this.#segments.replace(old, fresh, facts);
      if (!isReplaced) return false;
      this.#bounds.cleanTo(cleaned);
      const [first, last] = [old.at(0), old.at(-1)];
      if (first && last) {
        this.#cache.dropRange({ fromOffset: first.baseOffset, endOffset: last.nextOffset });
        this.#reader.forgetTrails();
      }
      return true;
    });
  }

  /** A closed log's compaction stops at its next batch; how it ended is for its caller. */
  async #compactionEnd(): Promise<void> {
    await this.#compaction?.catch(() => undefined);
  }

  #isAged(nowMs: number): boolean {
    const { segmentMs, segmentJitterMs } = this.#config;
    const { openSinceMs } = this.#segments;
    return openSinceMs !== undefined && nowMs - openSinceMs > segmentMs - segmentJitterMs;
  }

  async #release(): Promise<void> {
    if (this.#changes.isEnded) return;
    this.#changes.end();
    this.#dirty.clear();
    this.#cache.clear();
    await this.#segments.release();
  }
}
