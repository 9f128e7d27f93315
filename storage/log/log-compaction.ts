import { DiskError, isDiskBroken } from "../io/file.ts";
import type { CompactableRange, CompactionRules } from "../retention/compaction.ts";
import { KeyMap } from "../retention/key-map.ts";
import type { JudgedRecord, RecordFormat } from "../retention/record-format.ts";
import type { BatchHeader } from "./batch-format.ts";
import type { DirtyBatch } from "./dirty-batches.ts";
import type { LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import { LogClosedError } from "./log-error.ts";
import { Segment, SegmentIndex } from "./segment.ts";
import { writeIndexUnsynced } from "./segment-index-files.ts";
import { segmentBatches } from "./segment-reader.ts";
import { indexedMax, SegmentWriter } from "./segment-writer.ts";

/** How a log is to be compacted. */
export interface CompactionRequest {
  readonly nowMs: number;
  readonly rules: CompactionRules;
  readonly records: RecordFormat;
  /** A batch that must stay, emptied at least: the last one that tells a producer's sequence. */
  readonly mustStay: (batch: Uint8Array) => boolean;
  /** Memory for the keys of one run; when they are more, only a part of the log is compacted. */
  readonly keyMapBytes: number;
  readonly keyMapLoadFactor: number;
  /** Awaited after each stretch of work, with the bytes read: lets others have the event loop and the disk. */
  readonly pace: (sizeBytes: number) => Promise<void>;
}

/** What a run did. */
export interface CompactionReport {
  /** The log is compacted up to here now. */
  readonly cleanedOffset: number;
  /** True when more is dirty than the key map could hold. */
  readonly isPartial: boolean;
  /** Of the segments that were looked through, and of what they became. */
  readonly before: SegmentSizes;
  readonly after: SegmentSizes;
  readonly keyCount: number;
}

/** Segments of a log in sum. */
export interface SegmentSizes {
  readonly segmentCount: number;
  readonly sizeBytes: number;
}

/** The log under compaction, as it stood when the run began, and what may be done to it. */
export interface CompactionTarget {
  readonly disk: LogDisk;
  readonly directory: string;
  readonly config: LogConfig;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  readonly flushedOffset: number;
  isClosed(): boolean;
  /** Exchanges segments, durably; false when the old ones are not all part of the log any more. */
  replace(old: readonly Segment[], fresh: readonly Segment[], cleanedOffset: number): Promise<boolean>;
  /** Removes files that did not come into the log. */
  discard(made: readonly Segment[]): Promise<void>;
}

/**
 * Compacts the part of a log that `range` tells, oldest segments first; each exchange of segments is a step that
 * stays even if the run ends early. Undefined when the log was trimmed under it.
 * @throws LogCorruptError, LogClosedError, DiskError
 */
export async function compactLog(
  target: CompactionTarget,
  range: CompactableRange,
  request: CompactionRequest,
): Promise<CompactionReport | undefined> {
  return new Compaction(target, range, request).run();
}

/** Bytes of batches that are gone through before others may run. */
const paceBytes = 65_536;

class Compaction {
  readonly #target: CompactionTarget;
  readonly #range: CompactableRange;
  readonly #request: CompactionRequest;
  readonly #keys: KeyMap;
  /** Records from here on are not in the key map. */
  #endOffset: number;
  #unpacedBytes = 0;
  #group: SegmentGroup;
  #reading: Segment | undefined;
  readonly #before = { segmentCount: 0, sizeBytes: 0 };
  readonly #after = { segmentCount: 0, sizeBytes: 0 };

  constructor(target: CompactionTarget, range: CompactableRange, request: CompactionRequest) {
    this.#target = target;
    this.#range = range;
    this.#request = request;
    this.#endOffset = range.endOffset;
    this.#keys = new KeyMap({
      bytesMax: request.keyMapBytes,
      loadFactor: request.keyMapLoadFactor,
      keysMax: range.endOffset - range.dirtyOffset,
    });
    this.#group = new SegmentGroup(target);
  }

  async run(): Promise<CompactionReport | undefined> {
    try {
      // After a failed exchange, files that look left over may be those that the checkpoint names.
      await this.#target.discard([]);
      await this.#mapKeys();
      if (!(await this.#rewrite())) return undefined;
    } catch (error) {
      await this.#giveUp(error);
      if (this.#reading?.isRemoved && isMissing(error)) return undefined;
      throw error;
    }
    return {
      cleanedOffset: this.#endOffset,
      isPartial: this.#endOffset < this.#range.endOffset,
      before: this.#before,
      after: this.#after,
      keyCount: this.#keys.count,
    };
  }

  /** Notes the last offset of each key in the dirty part, as far as the map holds them. */
  async #mapKeys(): Promise<void> {
    const { dirtyOffset, endOffset } = this.#range;
    const { records } = this.#request;
    const onKey = (key: Uint8Array, offset: number): boolean => {
      if (offset < dirtyOffset) return true;
      if (this.#keys.put(records.hashKey(key), offset)) return true;
      this.#endOffset = offset;
      return false;
    };
    for (const segment of this.#target.segments) {
      if (segment.nextOffset <= dirtyOffset) continue;
      if (segment.baseOffset >= endOffset) return;
      for await (const { bytes, header } of this.#batchesOf(segment)) {
        if (header.nextOffset <= dirtyOffset || !records.isCompactable(bytes)) continue;
        if (!records.readKeys(bytes, onKey)) return;
      }
    }
  }

  /** Writes the segments anew, small ones together; false when somebody else has removed one. */
  async #rewrite(): Promise<boolean> {
    const segments = this.#target.segments.filter(
      (segment) => segment.isSealed && segment.sizeBytes > 0 && segment.baseOffset < this.#endOffset,
    );
    for (const segment of segments) {
      if (!this.#group.hasRoomFor(segment) && !(await this.#endGroup(0))) return false;
      this.#group.take(segment);
      for await (const { bytes, header } of this.#batchesOf(segment)) {
        await this.#group.put(this.#filter(bytes, header), bytes);
      }
    }
    // Only the last exchange says that the log is clean: before, older records may still be found in what follows.
    return this.#endGroup(this.#endOffset);
  }

  async #endGroup(cleanedOffset: number): Promise<boolean> {
    const group = this.#group;
    const { old, fresh } = await group.finish();
    const isSame = old.length <= 1 && !group.isChanged;
    if (isSame) await this.#target.discard(fresh);
    if (!isSame || cleanedOffset > 0) {
      const isReplaced = await this.#target.replace(isSame ? [] : old, isSame ? [] : fresh, cleanedOffset);
      if (!isReplaced) {
        await this.#target.discard(fresh);
        return false;
      }
    }
    count(this.#before, old);
    count(this.#after, isSame ? old : fresh);
    this.#group = new SegmentGroup(this.#target);
    return true;
  }

  /** What is left of a batch; undefined when nothing is. */
  #filter(bytes: Uint8Array, header: BatchHeader): Uint8Array | undefined {
    const { records, rules, nowMs, mustStay } = this.#request;
    if (header.baseOffset >= this.#endOffset || !records.isCompactable(bytes)) return bytes;

    const horizonMs = records.deleteHorizonOf(bytes);
    const isTombstoneDue = horizonMs !== undefined && nowMs >= horizonMs;
    const kept = records.filter(bytes, {
      keep: (record) => this.#isKept(record, isTombstoneDue),
      deleteHorizonMs: Math.min(nowMs + rules.deleteRetentionMs, Number.MAX_SAFE_INTEGER),
    });
    if (kept) return kept;
    // Without the log's very last batch, readers could not tell where it ends.
    const isLast = header.nextOffset === this.#target.flushedOffset;
    return isLast || mustStay(bytes) ? records.emptied(bytes) : undefined;
  }

  /** A record without a key stands for itself alone. */
  #isKept({ offset, key, isTombstone }: JudgedRecord, isTombstoneDue: boolean): boolean {
    if (!key || offset >= this.#endOffset) return true;
    const latest = this.#keys.get(this.#request.records.hashKey(key));
    if (latest !== undefined && latest > offset) return false;
    return !isTombstone || !isTombstoneDue;
  }

  async *#batchesOf(segment: Segment): ReturnType<typeof segmentBatches> {
    this.#reading = segment;
    for await (const batch of segmentBatches(this.#target.disk, segment)) {
      if (this.#target.isClosed()) throw new LogClosedError(this.#target.directory);
      yield batch;
      this.#unpacedBytes += batch.bytes.length;
      if (this.#unpacedBytes < paceBytes) continue;
      await this.#request.pace(this.#unpacedBytes);
      this.#unpacedBytes = 0;
    }
  }

  /** Leaves no half-written files, unless the disk cannot be trusted any more: then the next start removes them. */
  async #giveUp(error: unknown): Promise<void> {
    if (isDiskBroken(error)) return;
    await this.#target.discard(this.#group.made).catch(() => undefined);
  }
}

/** Sealed segments that become one, and what was written of it so far. */
class SegmentGroup {
  /** Normally one; more only where batches grew past what an index can tell. */
  readonly made: Segment[] = [];
  isChanged = false;
  readonly #target: CompactionTarget;
  readonly #old: Segment[] = [];
  #writer: SegmentWriter | undefined;
  #waiting: DirtyBatch[] = [];
  #waitingBytes = 0;

  constructor(target: CompactionTarget) {
    this.#target = target;
  }

  /** Whether a segment may join, by what the group has come to and the segment's size before compaction. */
  hasRoomFor(segment: Segment): boolean {
    const [first] = this.#old;
    if (!first) return true;
    if (segment.nextOffset - first.baseOffset > indexedMax) return false;
    const sizeBytes = this.made.reduce((sum, made) => sum + made.sizeBytes, this.#waitingBytes);
    return sizeBytes + segment.sizeBytes <= Math.min(this.#target.config.segmentBytes, indexedMax);
  }

  take(segment: Segment): void {
    this.#old.push(segment);
  }

  /** Adds what is left of a batch. */
  async put(kept: Uint8Array | undefined, original: Uint8Array): Promise<void> {
    this.isChanged ||= kept !== original;
    if (!kept) return;
    const header = this.#target.disk.format.readHeader(kept, 0);
    const sizeBytes = (this.#writer?.segment.sizeBytes ?? 0) + this.#waitingBytes;
    if (sizeBytes + kept.length > indexedMax) await this.#seal();
    else if (this.#waitingBytes + kept.length > this.#target.config.writeBytesMax) await this.#write();
    const { baseOffset, nextOffset } = header;
    this.#waiting.push({ bytes: kept, header, baseOffset, nextOffset });
    this.#waitingBytes += kept.length;
  }

  /** Makes all that was put durable, except for the names of the index files, which the exchange's sync covers. */
  async finish(): Promise<{ old: readonly Segment[]; fresh: readonly Segment[] }> {
    await this.#seal();
    return { old: this.#old, fresh: this.made };
  }

  async #seal(): Promise<void> {
    await this.#write();
    if (!this.#writer) return;
    await this.#writer.seal();
    await writeIndexUnsynced(this.#target.disk, this.#writer.segment);
    this.#writer = undefined;
  }

  async #write(): Promise<void> {
    const batches = this.#waiting;
    const [first] = batches;
    if (!first) return;
    this.#writer ??= await this.#begin(first.baseOffset);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#writer.write(batches);
  }

  async #begin(baseOffset: number): Promise<SegmentWriter> {
    const { disk, directory, config } = this.#target;
    const generation = Math.max(...this.#old.map((segment) => segment.generation)) + 1;
    const base = this.made.length === 0 ? (this.#old[0]?.baseOffset ?? baseOffset) : baseOffset;
    const segment = new Segment(directory, base, generation);
    segment.index = new SegmentIndex(base, config.indexIntervalBytes);
    // An earlier run that failed may have left the file.
    await disk.openFiles.forget(segment.path);
    await disk.files.remove(segment.path);
    this.made.push(segment);
    return new SegmentWriter(disk, segment, { exists: false, createdMs: 0 });
  }
}

function count(sizes: { segmentCount: number; sizeBytes: number }, segments: readonly Segment[]): void {
  sizes.segmentCount += segments.length;
  for (const { sizeBytes } of segments) sizes.sizeBytes += sizeBytes;
}

function isMissing(error: unknown): boolean {
  return error instanceof DiskError && error.code === "missing";
}
