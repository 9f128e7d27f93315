import assert from "node:assert/strict";
import type { LogCache } from "../cache/batch-cache.ts";
import type { BatchHeader } from "./batch-format.ts";
import { ColdReads } from "./cold-reads.ts";
import type { DirtyBatches } from "./dirty-batches.ts";
import type { LogBounds } from "./log-bounds.ts";
import type { LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged } from "./log-error.ts";
import { type LogSlice, type ReadRequest, SliceBuilder } from "./log-slice.ts";
import type { Segment } from "./segment.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import { scanSegment } from "./segment-reader.ts";
import type { Segments } from "./segments.ts";
import {
  findByTimestamp,
  findMaxTimestamp,
  type SearchedLog,
  type TimestampedOffset,
} from "./timestamp-search.ts";

/** What is read of a log. */
export interface ReadLog {
  readonly disk: LogDisk;
  readonly bounds: LogBounds;
  readonly segments: Segments;
  readonly indexes: SegmentIndexes;
  readonly dirty: DirtyBatches;
  readonly cache: LogCache;
  /** As it is when asked. */
  readonly config: () => LogConfig;
}

/**
 * Reads one log: its dirty batches and what is cached from memory, all others from segments.
 *
 * Appends, flushes, compaction and trims go on beside it. What was read from a segment that went meanwhile is read
 * again, from those that are there then.
 */
export class LogReader {
  readonly #log: ReadLog;
  readonly #coldReads: ColdReads;

  constructor(log: ReadLog) {
    this.#log = log;
    this.#coldReads = new ColdReads(log.disk, log.cache, log.indexes);
  }

  /** As `Log.read`. @throws OffsetOutOfRangeError, LogCorruptError, DiskError */
  read(request: ReadRequest): LogSlice | Promise<LogSlice> {
    const { bounds, segments, config } = this.#log;
    bounds.check(request.offset);
    const slice = this.#readMemory(request);
    if (!slice) return this.#readSegments(request);
    if (slice.nextOffset < segments.flushedOffset) this.#coldReads.readOn(slice, config());
    return slice;
  }

  /** As `Log.scan`. @throws OffsetOutOfRangeError, LogCorruptError, DiskError */
  async scan(fromOffset: number, onBatch: (batch: Uint8Array, header: BatchHeader) => void): Promise<void> {
    const { bounds, segments, dirty } = this.#log;
    bounds.check(fromOffset);
    let offset = fromOffset;
    const onNext = (batch: Uint8Array, header: BatchHeader) => {
      if (header.nextOffset <= offset) return;
      offset = header.nextOffset;
      onBatch(batch, header);
    };
    for (;;) {
      const segment = segments.find(offset);
      if (!segment) break;
      try {
        await this.#scanSegment(segment, offset, onNext);
      } catch (error) {
        // Compacted or trimmed in the meantime: goes on behind the last batch that was seen.
        if (!segment.isRemoved) throw error;
        offset = Math.max(offset, bounds.startOffset);
      }
    }
    for (const { bytes, header } of [...dirty]) if (header.nextOffset > offset) onBatch(bytes, header);
  }

  /** The first record at or after `timestampMs`. @throws LogCorruptError, DiskError */
  offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | undefined> {
    return this.#search((log) => findByTimestamp(log, timestampMs));
  }

  /** The first record with the largest timestamp. @throws LogCorruptError, DiskError */
  maxTimestamp(): Promise<TimestampedOffset | undefined> {
    return this.#search(findMaxTimestamp);
  }

  /** Segments have gone: nobody goes on where an earlier read came to. */
  forgetTrails(): void {
    this.#coldReads.forgetTrails();
  }

  /** As much as memory holds from the offset on; undefined when it does not hold the first batch. */
  #readMemory(request: ReadRequest): LogSlice | undefined {
    const { bounds, segments, dirty, cache } = this.#log;
    const builder = new SliceBuilder(request);
    const endOffset = Math.min(bounds.nextOffset, request.upToOffset);
    let offset = request.offset;
    while (offset < endOffset && offset < segments.flushedOffset) {
      const batch = cache.find(offset);
      if (!batch) return builder.isEmpty ? undefined : builder.finish();
      if (!builder.add(batch.bytes, batch)) return builder.finish();
      offset = batch.nextOffset;
    }
    for (let i = dirty.indexOf(offset); offset < endOffset; i++) {
      const batch = dirty.at(i);
      if (!batch || !builder.add(batch.bytes, batch)) break;
      offset = batch.nextOffset;
    }
    return builder.finish();
  }

  async #readSegments(request: ReadRequest): Promise<LogSlice> {
    const { bounds, segments, config } = this.#log;
    for (;;) {
      const segment = segments.find(request.offset);
      assert(segment); // It is below flushedOffset.
      try {
        return await this.#coldReads.read(segment, request, config());
      } catch (error) {
        bounds.check(request.offset); // Trimmed in the meantime.
        if (!segment.isRemoved) throw error;
      }
    }
  }

  async #scanSegment(
    segment: Segment,
    offset: number,
    onBatch: (batch: Uint8Array, header: BatchHeader) => void,
  ): Promise<void> {
    const { disk, indexes, config } = this.#log;
    const index = await indexes.of(segment, config().indexIntervalBytes);
    const endPosition = segment.sizeBytes;
    const from = { endPosition: index.offsets.lookup(offset), nextOffset: segment.baseOffset };
    const end = await scanSegment(disk, segment.path, { from, endPosition }, (batch, header) => {
      onBatch(batch, header);
      return undefined;
    });
    if (end.stop === "broken") throw damaged(segment.path, end.endPosition);
  }

  async #search<T>(search: (log: SearchedLog) => Promise<T>): Promise<T> {
    const { disk, bounds, indexes, dirty, config } = this.#log;
    for (;;) {
      const segments = [...this.#log.segments.list()];
      try {
        return await search({
          disk,
          indexes,
          indexIntervalBytes: config().indexIntervalBytes,
          segments,
          dirty,
          startOffset: bounds.startOffset,
        });
      } catch (error) {
        // Compacted or trimmed in the meantime: once more, in what is there now.
        if (!segments.some(({ isRemoved }) => isRemoved)) throw error;
      }
    }
  }
}
