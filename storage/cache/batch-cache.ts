import assert from "node:assert/strict";
import { BatchColumns, columnBytesPerBatch, type HeldBatch } from "./batch-columns.ts";

/** Memory that a batch takes besides its bytes: its place in the cache and, until it is flushed, among the dirty ones. */
export const batchOverheadBytes = 2 * columnBytesPerBatch;

/** Reads ahead of readers that may be under way at once, over all logs of a node. */
const readsAheadMax = 4;

/**
 * Recently written and read batches of all logs of a node, within one budget.
 *
 * What keeps memory alive is the whole buffer under a view, which batches of several logs share: those that came in
 * together, or were read together. So the buffer is what counts against the budget and what is evicted, with all
 * batches in it.
 */
export class BatchCache {
  readonly bytesMax: number;
  readonly #batchOverheadBytes: number;
  /** Least recently used first: a Map keeps insertion order, and a touch re-inserts. */
  readonly #slabs = new Map<ArrayBufferLike, Slab>();
  #latest: Slab | undefined;
  #sizeBytes = 0;
  #readsAhead = 0;

  /** `batchOverheadBytes` count for each batch on top: small ones would take several times the bound. */
  constructor(bytesMax: number, limits: { batchOverheadBytes?: number } = {}) {
    assert(bytesMax >= 0);
    this.bytesMax = bytesMax;
    this.#batchOverheadBytes = limits.batchOverheadBytes ?? 0;
  }

  /** Memory that the cache keeps alive. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The part of the cache that belongs to one log. */
  forLog(): LogCache {
    return new LogCache(this);
  }

  /** @internal */
  beginReadAhead(sizeBytes: number): boolean {
    // What is read ahead must still be there when its reader comes.
    if (this.#readsAhead >= readsAheadMax || sizeBytes * readsAheadMax * 2 > this.bytesMax) return false;
    this.#readsAhead++;
    return true;
  }

  /** @internal */
  endReadAhead(): void {
    this.#readsAhead--;
  }

  /** @internal */
  admit(log: LogCache, { bytes: { buffer }, baseOffset, nextOffset }: HeldBatch): void {
    let slab = this.#slabOf(buffer);
    if (!slab) {
      slab = { buffer, batchCount: 0, ranges: new Map() };
      this.#slabs.set(buffer, slab);
      this.#sizeBytes += buffer.byteLength;
    }
    const range = slab.ranges.get(log);
    if (range) {
      range.fromOffset = Math.min(range.fromOffset, baseOffset);
      range.endOffset = Math.max(range.endOffset, nextOffset);
    } else {
      slab.ranges.set(log, { fromOffset: baseOffset, endOffset: nextOffset });
    }
    slab.batchCount++;
    this.#sizeBytes += this.#batchOverheadBytes;
    this.#use(slab);
  }

  /** A batch of the buffer was read. @internal */
  touch(buffer: ArrayBufferLike): void {
    const slab = this.#slabOf(buffer);
    if (slab) this.#use(slab);
  }

  /** One of the buffer's batches is not in the cache any more. @internal */
  leave(buffer: ArrayBufferLike): void {
    const slab = this.#slabOf(buffer);
    assert(slab);
    this.#sizeBytes -= this.#batchOverheadBytes;
    slab.batchCount--;
    if (slab.batchCount > 0) return;
    this.#slabs.delete(buffer);
    if (this.#latest === slab) this.#latest = undefined;
    this.#sizeBytes -= buffer.byteLength;
  }

  /** @internal */
  evict(): void {
    for (const slab of this.#slabs.values()) {
      if (this.#sizeBytes <= this.bytesMax) return;
      for (const [log, range] of slab.ranges) log.dropSlab(slab.buffer, range);
      assert(slab.batchCount === 0);
    }
  }

  #slabOf(buffer: ArrayBufferLike): Slab | undefined {
    return this.#latest?.buffer === buffer ? this.#latest : this.#slabs.get(buffer);
  }

  #use(slab: Slab): void {
    if (this.#latest === slab) return;
    this.#slabs.delete(slab.buffer);
    this.#slabs.set(slab.buffer, slab);
    this.#latest = slab;
  }
}

/** One buffer, and where in their logs the batches are that lie in it. */
interface Slab {
  readonly buffer: ArrayBufferLike;
  batchCount: number;
  /** Covers the log's batches in the slab; there may be others between them. */
  readonly ranges: Map<LogCache, OffsetRange>;
}

interface OffsetRange {
  fromOffset: number;
  endOffset: number;
}

/** One log's batches in the shared cache. Batches may leave it at any insertion, of any log. */
export class LogCache {
  readonly #cache: BatchCache;
  readonly #batches = new BatchColumns();

  constructor(cache: BatchCache) {
    this.#cache = cache;
  }

  /**
   * Takes in a batch; `follows` says that it is the next batch of the log after the one that ends there, so that
   * a gap in the offsets between the two is known to be empty. A batch that is there already is left alone.
   */
  put(batch: HeldBatch, follows: number = batch.baseOffset): void {
    const at = this.#batches.endingAfter(batch.baseOffset);
    if (at < this.#batches.count && this.#batches.baseOffset(at) < batch.nextOffset) return;
    this.#cache.admit(this, batch);
    this.#batches.insert(at, batch, follows);
    this.#cache.evict();
  }

  /** The batch that contains `offset`, or the next one where the cache knows that none does. */
  find(offset: number): HeldBatch | undefined {
    const at = this.#batches.endingAfter(offset);
    if (at === this.#batches.count || this.#batches.follows(at) > offset) return undefined;
    this.#cache.touch(this.#batches.buffer(at));
    return this.#batches.batch(at);
  }

  /** Whether so many bytes may be read before they are asked for; `endReadAhead` gives the place back. */
  beginReadAhead(sizeBytes: number): boolean {
    return this.#cache.beginReadAhead(sizeBytes);
  }

  endReadAhead(): void {
    this.#cache.endReadAhead();
  }

  /** Forgets batches that end at or before `offset`. */
  trimTo(offset: number): void {
    this.#drop(0, this.#batches.endingAfter(offset));
  }

  /** Forgets batches with an offset in the range. */
  dropRange({ fromOffset, endOffset }: OffsetRange): void {
    this.#drop(this.#batches.endingAfter(fromOffset), this.#startingAt(endOffset));
  }

  clear(): void {
    this.#drop(0, this.#batches.count);
  }

  /** Forgets batches of the range that lie in a buffer. @internal */
  dropSlab(buffer: ArrayBufferLike, { fromOffset, endOffset }: OffsetRange): void {
    const start = this.#batches.endingAfter(fromOffset);
    const count = this.#batches.removeOf(buffer, start, this.#startingAt(endOffset));
    for (let i = 0; i < count; i++) this.#cache.leave(buffer);
  }

  #drop(from: number, to: number): void {
    for (let at = from; at < to; at++) this.#cache.leave(this.#batches.buffer(at));
    this.#batches.remove(from, to);
  }

  /** Index of the first batch that starts at or after `offset`. */
  #startingAt(offset: number): number {
    const at = this.#batches.endingAfter(offset);
    return at < this.#batches.count && this.#batches.baseOffset(at) < offset ? at + 1 : at;
  }
}
