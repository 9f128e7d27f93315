import type { Clock } from "../runtime/clock.ts";
import type { Partition } from "./partition.ts";

/** How long nobody must have led a partition before its replicas are read from: elections take less. */
const leaderlessMs = 3_000;

/**
 * Tells which partitions have been without a leader for so long that a majority of their replicas must be gone. What a
 * replica has applied is committed, and stays so: it may be read from any of them meanwhile.
 */
export class LeaderlessReads {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Monotonic time at which each was seen without a leader first. */
  readonly #sinceMs = new WeakMap<Partition, number>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Whether a partition may be read here although nobody leads it. */
  allows(partition: Partition): boolean {
    if (partition.isClosed || partition.leaderNodeId >= 0) {
      this.#sinceMs.delete(partition);
      return false;
    }
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#sinceMs.get(partition) ?? nowMs;
    this.#sinceMs.set(partition, sinceMs);
    return nowMs - sinceMs >= leaderlessMs;
  }
}
