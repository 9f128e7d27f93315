import assert from "node:assert/strict";

/** A batch held in memory, with what a reader needs to place it. */
export interface HeldBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** Memory that a batch takes in columns, with the room that they keep to grow. */
export const columnBytesPerBatch = 80;

const capacityMin = 16;

/**
 * Batches of one log in the order of their offsets, never overlapping, as columns of numbers.
 *
 * An object or two for each batch would live just long enough to be what the garbage collector works on most: with
 * batches of 1 KiB they doubled its work and the length of its pauses. Views are made when somebody reads.
 */
export class BatchColumns {
  /** Base offset, next offset, and the end of the batch before, of each. */
  #offsets = new Float64Array(3 * capacityMin);
  /** Position and size in its buffer. */
  #places = new Float64Array(2 * capacityMin);
  #buffers: (ArrayBufferLike | undefined)[] = [];
  /** Places before it are empty: most leave from the front. */
  #first = 0;
  #end = 0;

  get count(): number {
    return this.#end - this.#first;
  }

  baseOffset(at: number): number {
    return this.#offsets[3 * this.#index(at)] ?? Number.NaN;
  }

  nextOffset(at: number): number {
    return this.#offsets[3 * this.#index(at) + 1] ?? Number.NaN;
  }

  /** Where the batch before it ends, as `insert` was told: between the two nothing is. */
  follows(at: number): number {
    return this.#offsets[3 * this.#index(at) + 2] ?? Number.NaN;
  }

  sizeBytes(at: number): number {
    return this.#places[2 * this.#index(at) + 1] ?? Number.NaN;
  }

  buffer(at: number): ArrayBufferLike {
    const buffer = this.#buffers[this.#index(at)];
    assert(buffer);
    return buffer;
  }

  /** A view made for the caller. */
  batch(at: number): HeldBatch {
    const index = this.#index(at);
    const position = this.#places[2 * index];
    const bytes = new Uint8Array(this.buffer(at), position, this.#places[2 * index + 1]);
    return { bytes, baseOffset: this.baseOffset(at), nextOffset: this.nextOffset(at) };
  }

  /** Index of the batch that contains `offset`, or of the next one; `count` when all end before. */
  endingAfter(offset: number): number {
    // The usual case: what comes in is the newest.
    if (this.count === 0 || this.nextOffset(this.count - 1) <= offset) return this.count;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.nextOffset(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(at: number, { bytes, baseOffset, nextOffset }: HeldBatch, follows = baseOffset): void {
    const index = this.#openAt(at);
    this.#offsets[3 * index] = baseOffset;
    this.#offsets[3 * index + 1] = nextOffset;
    this.#offsets[3 * index + 2] = follows;
    this.#places[2 * index] = bytes.byteOffset;
    this.#places[2 * index + 1] = bytes.length;
    this.#buffers[index] = bytes.buffer;
  }

  /** Takes out what is between two indexes. */
  remove(from: number, to: number): void {
    assert(from >= 0 && to <= this.count);
    this.#close(this.#first + from, this.#first + to);
  }

  /**
   * Takes out what of a buffer is between two indexes; answers how many those are. In one pass: batches of several
   * buffers take turns where several senders write to one log, and to close each hole by itself would move all others
   * as often as there are holes.
   */
  removeOf(buffer: ArrayBufferLike, from: number, to: number): number {
    assert(from >= 0 && to <= this.count);
    const start = this.#first + from;
    const end = this.#first + to;
    const isFrontShorter = start - this.#first <= this.#end - end;
    let kept = isFrontShorter ? end : start;
    if (isFrontShorter) {
      for (let index = end - 1; index >= start; index--) {
        if (this.#buffers[index] !== buffer) this.#move(index, --kept);
      }
      this.#close(start, kept);
      return kept - start;
    }
    for (let index = start; index < end; index++) {
      if (this.#buffers[index] !== buffer) this.#move(index, kept++);
    }
    this.#close(kept, end);
    return end - kept;
  }

  #index(at: number): number {
    assert(at >= 0 && at < this.count);
    return this.#first + at;
  }

  /** Makes a place free in front of what is at an index; moves what lies before or behind, whichever is less. */
  #openAt(at: number): number {
    const { count } = this;
    assert(at >= 0 && at <= count);
    if (at * 2 < count) {
      if (this.#first === 0) this.#makeRoom({ isInFront: true });
      this.#shift(this.#first, this.#first + at, -1);
      this.#first--;
      return this.#first + at;
    }
    if (this.#end * 2 === this.#places.length) this.#makeRoom({ isInFront: false });
    const index = this.#first + at;
    this.#shift(index, this.#end, 1);
    this.#end++;
    return index;
  }

  /** Closes a gap between two places; moves what lies before or behind, whichever is less. */
  #close(from: number, to: number): void {
    const gap = to - from;
    if (gap <= 0) return;
    if (from - this.#first <= this.#end - to) {
      this.#shift(this.#first, from, gap);
      this.#buffers.fill(undefined, this.#first, this.#first + gap);
      this.#first += gap;
    } else {
      this.#shift(to, this.#end, -gap);
      this.#end -= gap;
      this.#buffers.length = this.#end;
    }
    if (this.#first === this.#end) this.#restart();
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    for (let i = 0; i < 3; i++) this.#offsets[3 * to + i] = this.#offsets[3 * from + i] ?? 0;
    for (let i = 0; i < 2; i++) this.#places[2 * to + i] = this.#places[2 * from + i] ?? 0;
    this.#buffers[to] = this.#buffers[from];
  }

  /** Moves a stretch of places on by so many; what it leaves keeps its contents. */
  #shift(from: number, to: number, by: number): void {
    if (from === to) return;
    this.#offsets.copyWithin(3 * (from + by), 3 * from, 3 * to);
    this.#places.copyWithin(2 * (from + by), 2 * from, 2 * to);
    // Several times as fast as an array's own copyWithin.
    if (by < 0) for (let i = from; i < to; i++) this.#buffers[i + by] = this.#buffers[i];
    else for (let i = to - 1; i >= from; i--) this.#buffers[i + by] = this.#buffers[i];
  }

  /** Moves everything to the front, or to the middle, into longer columns unless half of them is empty. */
  #makeRoom({ isInFront }: { isInFront: boolean }): void {
    const { count } = this;
    const capacity = this.#places.length / 2;
    const wanted = count * 2 <= capacity ? capacity : capacity * 2;
    const first = isInFront ? (wanted - count) >> 1 : 0;
    const offsets = new Float64Array(3 * wanted);
    const places = new Float64Array(2 * wanted);
    offsets.set(this.#offsets.subarray(3 * this.#first, 3 * this.#end), 3 * first);
    places.set(this.#places.subarray(2 * this.#first, 2 * this.#end), 2 * first);
    this.#offsets = offsets;
    this.#places = places;
    const empty = new Array<undefined>(first).fill(undefined);
    this.#buffers = [...empty, ...this.#buffers.slice(this.#first, this.#end)];
    this.#first = first;
    this.#end = first + count;
  }

  #restart(): void {
    this.#first = 0;
    this.#end = 0;
    this.#buffers = [];
    // A burst is over: what it needed is given back.
    if (this.#places.length <= 8 * capacityMin) return;
    this.#offsets = new Float64Array(3 * capacityMin);
    this.#places = new Float64Array(2 * capacityMin);
  }
}
