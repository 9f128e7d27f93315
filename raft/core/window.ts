import { strict as assert } from "node:assert";

/** A dense stretch of things by index: grows at its end, is truncated there, and is released from its beginning. */
export class Window<T> {
  #items: T[] = [];
  /** Items before this place are released; they go in bulk, because moving the rest costs. */
  #head = 0;
  #firstIndex: number;

  constructor(firstIndex: number) {
    this.#firstIndex = firstIndex;
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** One behind the last; equal to `firstIndex` while empty. */
  get endIndex(): number {
    return this.#firstIndex + this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The item at `index`, undefined outside of the stretch. */
  at(index: number): T | undefined {
    return index < this.#firstIndex ? undefined : this.#items[this.#head + index - this.#firstIndex];
  }

  /** Items from `start` up to and without `end`, both within the stretch. */
  slice(start: number, end: number): T[] {
    assert(start >= this.#firstIndex && end <= this.endIndex);
    const shift = this.#head - this.#firstIndex;
    return this.#items.slice(start + shift, end + shift);
  }

  truncateFrom(index: number): void {
    assert(index >= this.#firstIndex);
    this.#items.length = Math.min(this.#items.length, this.#head + index - this.#firstIndex);
  }

  releaseThrough(index: number): void {
    const count = Math.min(index + 1, this.endIndex) - this.#firstIndex;
    if (count <= 0) return;
    this.#firstIndex += count;
    this.#head += count;
    // An idle group must not hold on to what it has released.
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
      return;
    }
    if (this.#head < releasedMin || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}

const releasedMin = 32;
