import { strict as assert } from "node:assert";

/**
 * Terms of a stretch of log entries, as runs: terms change seldom, entries are many.
 *
 * Invariant: first indexes and terms both grow from run to run.
 */
export class TermRuns {
  readonly #firstIndexes: number[] = [];
  readonly #terms: number[] = [];

  /** Notes that entries from `index` on have `term`, until told otherwise. */
  push(index: number, term: number): void {
    const last = this.#terms.length - 1;
    const lastTerm = this.#terms[last] ?? -1;
    assert(term >= lastTerm);
    if (term === lastTerm) return;
    this.#firstIndexes.push(index);
    this.#terms.push(term);
  }

  /** Term of the entry at `index`, which the stretch has. */
  termAt(index: number): number {
    // Nearly always the last run, or one close to it.
    for (let run = this.#terms.length - 1; run >= 0; run--) {
      if ((this.#firstIndexes[run] ?? 0) <= index) return this.#terms[run] ?? 0;
    }
    assert.fail();
  }

  /** First index of the run that holds `index`. */
  firstIndexOfRun(index: number): number {
    for (let run = this.#terms.length - 1; run >= 0; run--) {
      const first = this.#firstIndexes[run] ?? 0;
      if (first <= index) return first;
    }
    assert.fail();
  }

  /** Forgets entries from `index` on. */
  truncateFrom(index: number): void {
    while ((this.#firstIndexes.at(-1) ?? -1) >= index) {
      this.#firstIndexes.pop();
      this.#terms.pop();
    }
  }

  /** Forgets entries up to and with `index`. */
  releaseThrough(index: number): void {
    let count = 0;
    while ((this.#firstIndexes[count + 1] ?? Infinity) <= index + 1) count += 1;
    if (count === 0) return;
    this.#firstIndexes.splice(0, count);
    this.#terms.splice(0, count);
  }
}
