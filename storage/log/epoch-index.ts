/** Where a leader epoch begins in a log. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

/** The leader epochs of a log's batches, oldest first: both fields grow from entry to entry (KIP-101, KIP-279). */
export class EpochIndex {
  #starts: EpochStart[];

  constructor(starts: readonly EpochStart[] = []) {
    this.#starts = [...starts];
  }

  get latestEpoch(): number {
    return this.#starts.at(-1)?.epoch ?? -1;
  }

  entries(): readonly EpochStart[] {
    return this.#starts;
  }

  /** Takes note of a batch. An epoch at or below the latest adds nothing: epochs never go backwards. */
  note(batch: { leaderEpoch: number; baseOffset: number }): void {
    if (batch.leaderEpoch <= this.latestEpoch) return;
    this.#starts.push({ epoch: batch.leaderEpoch, startOffset: batch.baseOffset });
  }

  /** The epoch in which the batch at `offset` was taken, -1 before the first. */
  epochAt(offset: number): number {
    for (let i = this.#starts.length - 1; i >= 0; i--) {
      const start = this.#starts[i];
      if (start && start.startOffset <= offset) return start.epoch;
    }
    return -1;
  }

  /**
   * Where `epoch`, or the largest one below it, ends: at the start of the next epoch, for the latest at `nextOffset`.
   * An epoch that this log has not seen yet answers (-1, -1); one from before its first keeps its number.
   */
  endOffsetOf(epoch: number, nextOffset: number): { epoch: number; endOffset: number } {
    if (epoch < 0 || epoch > this.latestEpoch) return { epoch: -1, endOffset: -1 };
    if (epoch === this.latestEpoch) return { epoch, endOffset: nextOffset };

    const higher = this.#starts.findIndex((start) => start.epoch > epoch);
    const floor = this.#starts[higher - 1];
    return { epoch: floor?.epoch ?? epoch, endOffset: this.#starts[higher]?.startOffset ?? nextOffset };
  }

  /** Forgets what lies before a log's new start; the epoch that spans it begins there from now on. */
  trimTo(startOffset: number): void {
    const first = this.#starts.findLastIndex((start) => start.startOffset <= startOffset);
    if (first < 0) return;
    const spanning = this.#starts[first];
    if (!spanning) return;
    this.#starts = [{ epoch: spanning.epoch, startOffset }, ...this.#starts.slice(first + 1)];
  }
}
