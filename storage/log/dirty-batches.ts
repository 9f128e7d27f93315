import { BatchColumns, type HeldBatch } from "../cache/batch-columns.ts";
import type { BatchFormat, BatchHeader } from "./batch-format.ts";

/** A committed batch in memory that its segment does not hold yet. */
export interface DirtyBatch extends HeldBatch {
  readonly header: BatchHeader;
}

/** The end of a log that is not in its segments yet, in order. */
export class DirtyBatches {
  readonly #format: Pick<BatchFormat, "readHeader">;
  readonly #batches = new BatchColumns();
  #sizeBytes = 0;

  constructor(format: Pick<BatchFormat, "readHeader">) {
    this.#format = format;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get count(): number {
    return this.#batches.count;
  }

  push(batch: HeldBatch): void {
    this.#batches.insert(this.#batches.count, batch);
    this.#sizeBytes += batch.bytes.length;
  }

  /** Undefined behind the last one. */
  at(index: number): HeldBatch | undefined {
    return index < this.#batches.count ? this.#batches.batch(index) : undefined;
  }

  /** Index, for `at`, of the batch that contains `offset`, or of the next one. */
  indexOf(offset: number): number {
    return this.#batches.endingAfter(offset);
  }

  /** Takes off the first `count` batches; answers their bytes. */
  shift(count: number): number {
    let sizeBytes = 0;
    for (let at = 0; at < count; at++) sizeBytes += this.#batches.sizeBytes(at);
    this.#batches.remove(0, count);
    this.#sizeBytes -= sizeBytes;
    return sizeBytes;
  }

  clear(): number {
    return this.shift(this.count);
  }

  *[Symbol.iterator](): Generator<DirtyBatch> {
    for (let at = 0; at < this.#batches.count; at++) {
      const batch = this.#batches.batch(at);
      yield { ...batch, header: this.#format.readHeader(batch.bytes, 0) };
    }
  }
}
