import { firstEndingAfter } from "../cache/batch-cache.ts";
import type { BatchHeader } from "./batch-format.ts";

/** A committed batch in memory that its segment does not hold yet. */
export interface DirtyBatch {
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** The end of a log that is not in its segments yet, in order. */
export class DirtyBatches {
  #batches: DirtyBatch[] = [];
  /** Batches before it are flushed; taken off in bulk, so that a flush costs no shifting of the whole queue. */
  #first = 0;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get count(): number {
    return this.#batches.length - this.#first;
  }

  /** Base offset of the first batch; undefined when there is none. */
  get startOffset(): number | undefined {
    return this.#batches[this.#first]?.baseOffset;
  }

  push(bytes: Uint8Array, header: BatchHeader): void {
    this.#batches.push({ bytes, header, baseOffset: header.baseOffset, nextOffset: header.nextOffset });
    this.#sizeBytes += bytes.length;
  }

  at(index: number): DirtyBatch | undefined {
    return this.#batches[this.#first + index];
  }

  /** Index, for `at`, of the batch that contains `offset`, or of the next one. */
  indexOf(offset: number): number {
    return Math.max(0, firstEndingAfter(this.#batches, offset) - this.#first);
  }

  /** Takes off the first `count` batches; answers their bytes. */
  shift(count: number): number {
    let sizeBytes = 0;
    for (let i = 0; i < count; i++) sizeBytes += this.at(i)?.bytes.length ?? 0;
    this.#first += count;
    this.#sizeBytes -= sizeBytes;
    if (this.#first * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
    return sizeBytes;
  }

  clear(): number {
    return this.shift(this.count);
  }

  *[Symbol.iterator](): Generator<DirtyBatch> {
    for (let i = 0; i < this.count; i++) {
      const batch = this.at(i);
      if (batch) yield batch;
    }
  }
}
