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
    if (this.#end * 2 === this.#places.length) this.#makeRoom();
    const index = this.#first + at;
    assert(index <= this.#end);
    if (index < this.#end) this.#shift({ from: index, to: index + 1 });
    this.#offsets[3 * index] = baseOffset;
    this.#offsets[3 * index + 1] = nextOffset;
    this.#offsets[3 * index + 2] = follows;
    this.#places[2 * index] = bytes.byteOffset;
    this.#places[2 * index + 1] = bytes.length;
    this.#buffers[index] = bytes.buffer;
    this.#end++;
  }

  /** Takes out what is between two indexes. */
  remove(from: number, to: number): void {
    if (from >= to) return;
    const [fromIndex, toIndex] = [this.#first + from, this.#first + to];
    assert(toIndex <= this.#end);
    if (from === 0) {
      this.#buffers.fill(undefined, fromIndex, toIndex);
      this.#first = toIndex;
      if (this.#first === this.#end) this.#restart();
    } else {
      this.#shift({ from: toIndex, to: fromIndex });
      this.#end -= to - from;
      this.#buffers.length = this.#end;
    }
  }

  #index(at: number): number {
    assert(at >= 0 && at < this.count);
    return this.#first + at;
  }

  #shift({ from, to }: { from: number; to: number }): void {
    this.#offsets.copyWithin(3 * to, 3 * from, 3 * this.#end);
    this.#places.copyWithin(2 * to, 2 * from, 2 * this.#end);
    if (to > from) this.#buffers.push(undefined);
    this.#buffers.copyWithin(to, from, this.#end);
  }

  /** Moves everything to the front, into longer columns unless half of them is empty. */
  #makeRoom(): void {
    const capacity = this.#places.length / 2;
    const wanted = this.#first * 2 >= capacity ? capacity : capacity * 2;
    const offsets = new Float64Array(3 * wanted);
    const places = new Float64Array(2 * wanted);
    offsets.set(this.#offsets.subarray(3 * this.#first, 3 * this.#end));
    places.set(this.#places.subarray(2 * this.#first, 2 * this.#end));
    this.#offsets = offsets;
    this.#places = places;
    this.#buffers = this.#buffers.slice(this.#first, this.#end);
    this.#end -= this.#first;
    this.#first = 0;
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
