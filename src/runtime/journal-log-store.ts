import type { Entry, HardState } from "#raft/core/entry.ts";
import { LogFullError, type LogStore } from "#raft/host/log-store.ts";
import { DiskError } from "#storage/io/file.ts";
import type { Journal } from "#storage/journal/journal.ts";
import type { Clock } from "./clock.ts";

/** Who wants to know how long the disk takes. */
export interface FlushTiming {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly onFlushed: (durationMs: number) => void;
}

/** The journal as the replication groups' log. */
export class JournalLogStore implements LogStore {
  readonly #journal: Journal;

  readonly #timing: FlushTiming;

  constructor(journal: Journal, timing: FlushTiming) {
    this.#journal = journal;
    this.#timing = timing;
  }

  append(group: number, entries: readonly Entry[]): void {
    try {
      this.#journal.append(group, entries);
    } catch (cause) {
      if (cause instanceof DiskError && cause.code === "full") throw new LogFullError({ cause });
      throw cause;
    }
  }

  setHardState(group: number, state: HardState): void {
    this.#journal.setHardState(group, state);
  }

  advanceFloor(group: number, floor: { index: number; term: number }): void {
    this.#journal.advanceFloor(group, floor);
  }

  forget(group: number): void {
    this.#journal.forget(group);
  }

  async flush(): Promise<void> {
    const { clock, onFlushed } = this.#timing;
    const startedMs = clock.monotonicMs();
    await this.#journal.flush();
    onFlushed(clock.monotonicMs() - startedMs);
  }
}
