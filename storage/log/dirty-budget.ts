import assert from "node:assert/strict";

/**
 * The bound on committed bytes that wait in memory for their segments, over all logs of a node.
 *
 * Logs never wait on it themselves: who admits produces checks `isOver` and awaits `whenBelow`.
 */
export class DirtyBudget {
  readonly bytesMax: number;
  #bytes = 0;
  #waiters: (() => void)[] = [];

  constructor(bytesMax: number) {
    assert(bytesMax > 0);
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes >= this.bytesMax;
  }

  add(sizeBytes: number): void {
    this.#bytes += sizeBytes;
  }

  remove(sizeBytes: number): void {
    this.#bytes -= sizeBytes;
    assert(this.#bytes >= 0);
    if (this.isOver || this.#waiters.length === 0) return;

    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves once the budget is not over. Others woken by the same flush may fill it again: check `isOver` after. */
  whenBelow(): Promise<void> {
    if (!this.isOver) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
