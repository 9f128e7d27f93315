import { strict as assert } from "node:assert";

/** How much may be on its way to a replica. */
export interface InflightLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** Appends sent and not acknowledged, oldest first. Not full: one more may go, whatever its size. */
export class Inflight {
  readonly #limits: InflightLimits;
  #lastIndexes: number[] = [];
  #sizesBytes: number[] = [];
  #head = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    assert(limits.messagesMax > 0 && limits.bytesMax > 0);
    this.#limits = limits;
  }

  get count(): number {
    return this.#lastIndexes.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.count >= this.#limits.messagesMax || this.#bytes >= this.#limits.bytesMax;
  }

  /** An append whose last entry is at `lastIndex` was sent. */
  add(lastIndex: number, sizeBytes: number): void {
    assert(!this.isFull);
    this.#lastIndexes.push(lastIndex);
    this.#sizesBytes.push(sizeBytes);
    this.#bytes += sizeBytes;
  }

  /** Everything up to `index` has arrived. */
  acknowledgedTo(index: number): void {
    while ((this.#lastIndexes[this.#head] ?? Infinity) <= index) {
      this.#bytes -= this.#sizesBytes[this.#head] ?? 0;
      this.#head += 1;
    }
    if (this.#head === this.#lastIndexes.length) this.clear();
    else if (this.#head >= this.#limits.messagesMax) this.#compact();
  }

  clear(): void {
    if (this.#lastIndexes.length === 0) return;
    this.#lastIndexes = [];
    this.#sizesBytes = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #compact(): void {
    this.#lastIndexes.splice(0, this.#head);
    this.#sizesBytes.splice(0, this.#head);
    this.#head = 0;
  }
}
