import type { Entry, HardState } from "#raft/host/entry.ts";
import { LogFullError, type LogStore } from "#raft/host/log-store.ts";
import { DiskError } from "#storage/io/file.ts";
import type { Journal } from "#storage/journal/journal.ts";

/** The journal as the replication groups' log. */
export class JournalLogStore implements LogStore {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
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

  flush(): Promise<void> {
    return this.#journal.flush();
  }
}
