import { batchOverheadBytes } from "../cache/batch-cache.ts";
import { BatchColumns, type HeldBatch } from "../cache/batch-columns.ts";
import type { BatchFormat, BatchHeader } from "./batch-format.ts";
import type { DirtyBudget } from "./dirty-budget.ts";

/** A committed batch in memory that its segment does not hold yet. */
export interface DirtyBatch extends HeldBatch {
  readonly header: BatchHeader;
}

/** The end of a log that is not in its segments yet, in order; it counts against the node's budget. */
export class DirtyBatches {
  readonly #format: Pick<BatchFormat, "readHeader">;
  readonly #budget: DirtyBudget;
  readonly #nowMs: () => number;
  readonly #batches = new BatchColumns();
  #sizeBytes = 0;
  #sinceMs: number | undefined;

  constructor(format: Pick<BatchFormat, "readHeader">, budget: DirtyBudget, nowMs: () => number) {
    this.#format = format;
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Memory that the batches take. */
  get memoryBytes(): number {
    return this.#sizeBytes + this.count * batchOverheadBytes;
  }

  get count(): number {
    return this.#batches.count;
  }

  /** When the oldest came, or the one before it was written; undefined when there is none. */
  get sinceMs(): number | undefined {
    return this.count === 0 ? undefined : this.#sinceMs;
  }

  push(batch: HeldBatch): void {
    if (this.count === 0) this.#sinceMs = this.#nowMs();
    this.#budget.add(batch.bytes.length + batchOverheadBytes);
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

  /** Takes off the first `count` batches: their segment holds them now. */
  shift(count: number): void {
    this.#remove(count);
    this.#sinceMs = this.#nowMs();
  }

  clear(): void {
    this.#remove(this.count);
  }

  *[Symbol.iterator](): Generator<DirtyBatch> {
    for (let at = 0; at < this.#batches.count; at++) {
      const batch = this.#batches.batch(at);
      yield { ...batch, header: this.#format.readHeader(batch.bytes, 0) };
    }
  }

  #remove(count: number): void {
    let sizeBytes = 0;
    for (let at = 0; at < count; at++) sizeBytes += this.#batches.sizeBytes(at);
    this.#batches.remove(0, count);
    this.#sizeBytes -= sizeBytes;
    this.#budget.remove(sizeBytes + count * batchOverheadBytes);
  }
}
