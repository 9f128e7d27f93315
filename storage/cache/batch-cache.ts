import assert from "node:assert/strict";

/** A batch held in memory, with what a reader needs to place it. */
export interface CachedBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** Memory that a batch takes besides its bytes: views, headers, places in lists. Measured with batches of 300 bytes. */
export const batchOverheadBytes = 1024;

/** Reads ahead of readers that may be under way at once, over all logs of a node. */
const readsAheadMax = 4;

/** A chunk takes batches up to this size, then the next one is begun: the grain of eviction. */
const chunkBytesTarget = 131_072;

/**
 * Recently written and read batches of all logs of a node, within one budget.
 *
 * The unit of eviction is a chunk: neighbouring batches of one log. What counts against the budget is the memory
 * that a chunk keeps alive, which is the whole buffer under each view, once however many views share it.
 */
export class BatchCache {
  readonly bytesMax: number;
  readonly #batchOverheadBytes: number;
  /** Least recently used first: a Set keeps insertion order, and a touch re-inserts. */
  readonly #chunks = new Set<CacheChunk>();
  readonly #pins = new Map<ArrayBufferLike, number>();
  #latest: CacheChunk | undefined;
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
  admit(chunk: CacheChunk, batch: CachedBatch): void {
    chunk.batches.push(batch);
    chunk.sizeBytes += batch.bytes.length;
    this.#pin(batch.bytes.buffer);
    this.#sizeBytes += this.#batchOverheadBytes;
    this.touch(chunk);
    this.#evict();
  }

  /** @internal */
  touch(chunk: CacheChunk): void {
    if (this.#latest === chunk) return;
    this.#chunks.delete(chunk);
    this.#chunks.add(chunk);
    this.#latest = chunk;
  }

  /** @internal */
  drop(chunk: CacheChunk): void {
    if (!this.#chunks.delete(chunk)) return;
    if (this.#latest === chunk) this.#latest = undefined;
    for (const batch of chunk.batches) this.#unpin(batch.bytes.buffer);
    this.#sizeBytes -= chunk.batches.length * this.#batchOverheadBytes;
    chunk.owner.forget(chunk);
  }

  #evict(): void {
    for (const chunk of this.#chunks) {
      if (this.#sizeBytes <= this.bytesMax) return;
      this.drop(chunk);
    }
  }

  #pin(buffer: ArrayBufferLike): void {
    const count = this.#pins.get(buffer) ?? 0;
    if (count === 0) this.#sizeBytes += buffer.byteLength;
    this.#pins.set(buffer, count + 1);
  }

  #unpin(buffer: ArrayBufferLike): void {
    const count = this.#pins.get(buffer) ?? 0;
    assert(count > 0);
    if (count > 1) {
      this.#pins.set(buffer, count - 1);
      return;
    }
    this.#pins.delete(buffer);
    this.#sizeBytes -= buffer.byteLength;
  }
}

/** One log's batches in the shared cache. Batches may leave it at any insertion, of any log. */
export class LogCache {
  readonly #cache: BatchCache;
  /** Sorted by offset, never overlapping. */
  #chunks: CacheChunk[] = [];

  constructor(cache: BatchCache) {
    this.#cache = cache;
  }

  /**
   * Takes in a batch; `follows` says that it is the next batch of the log after the one that ends there, so that
   * a gap in the offsets between the two is known to be empty. A batch that is there already is left alone.
   */
  put(batch: CachedBatch, follows: number = batch.baseOffset): void {
    const at = this.#chunkAfter(batch.baseOffset);
    const before = this.#chunks[at - 1];
    if (before && endOf(before) > batch.baseOffset) return;
    const after = this.#chunks[at];
    if (after && startOf(after) < batch.nextOffset) return;

    if (before && endOf(before) === follows && before.sizeBytes < chunkBytesTarget) {
      this.#cache.admit(before, batch);
      return;
    }
    const chunk: CacheChunk = { owner: this, batches: [], sizeBytes: 0, startOffset: batch.baseOffset };
    this.#chunks.splice(at, 0, chunk);
    this.#cache.admit(chunk, batch);
  }

  /** The batch that contains `offset`, or the next one where the cache knows that none does. */
  find(offset: number): CachedBatch | undefined {
    const chunk = this.#chunks[this.#chunkAfter(offset) - 1];
    if (!chunk || endOf(chunk) <= offset) return undefined;
    this.#cache.touch(chunk);
    return chunk.batches[firstEndingAfter(chunk.batches, offset)];
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
    for (const chunk of [...this.#chunks]) {
      if (endOf(chunk) <= offset) this.#cache.drop(chunk);
    }
  }

  /** Forgets batches with an offset in the range, and some around it. */
  dropRange({ fromOffset, endOffset }: { fromOffset: number; endOffset: number }): void {
    for (const chunk of [...this.#chunks]) {
      if (startOf(chunk) < endOffset && endOf(chunk) > fromOffset) this.#cache.drop(chunk);
    }
  }

  clear(): void {
    for (const chunk of [...this.#chunks]) this.#cache.drop(chunk);
  }

  /** @internal */
  forget(chunk: CacheChunk): void {
    const at = this.#chunks.indexOf(chunk);
    if (at >= 0) this.#chunks.splice(at, 1);
  }

  /** Index of the first chunk that starts after `offset`. */
  #chunkAfter(offset: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle];
      if (chunk && startOf(chunk) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface CacheChunk {
  readonly owner: LogCache;
  readonly batches: CachedBatch[];
  readonly startOffset: number;
  sizeBytes: number;
}

function startOf(chunk: CacheChunk): number {
  return chunk.startOffset;
}

function endOf(chunk: CacheChunk): number {
  return chunk.batches.at(-1)?.nextOffset ?? chunk.startOffset;
}

/** Index of the first batch that ends after `offset`: the one that contains it, or the next. */
export function firstEndingAfter(batches: readonly { nextOffset: number }[], offset: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((batches[middle]?.nextOffset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A view under this share of its buffer is copied: it would keep too much memory alive for what it holds. */
const viewShareMin = 0.25;

/** The same bytes, in memory of their own size when the view is a small part of its buffer. */
export function withoutExcess(view: Uint8Array): Uint8Array {
  return view.byteLength < view.buffer.byteLength * viewShareMin ? new Uint8Array(view) : view;
}
