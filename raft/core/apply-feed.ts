import { strict as assert } from "node:assert";
import type { Entry } from "./entry.ts";
import type { GroupState } from "./group-state.ts";
import type { Load } from "./ready.ts";

/** Hands committed entries out in order, from memory or, after a restart, from the journal. */
export class ApplyFeed {
  readonly #state: GroupState;
  #loaded: readonly Entry[] = none;
  #isLoading = false;

  constructor(state: GroupState) {
    this.#state = state;
  }

  /** Whether `take` would hand something out or ask for it. */
  get hasWork(): boolean {
    const { log, installing } = this.#state;
    // A state machine that is being replaced takes nothing.
    if (installing || this.#isLoading) return false;
    return log.nextToHand <= log.applicableIndex;
  }

  take(): readonly Entry[] {
    if (!this.hasWork) return none;
    const { log } = this.#state;
    const start = log.nextToHand;
    if (this.#loaded.length === 0 && start < log.firstInMemory) {
      this.#load(start);
      return none;
    }
    const entries =
      this.#loaded.length > 0
        ? this.#loaded
        : log.recentEntries({ start, last: log.applicableIndex, bytesMax: Infinity });
    this.#loaded = none;
    assert(entries[0]?.index === start);
    log.handedTo(start + entries.length - 1);
    return entries;
  }

  /** Committed entries came from the journal, which has them as long as they are above the floor. */
  loaded(load: Load, entries: readonly Entry[]): void {
    // The answer to a load from before an install.
    if (!this.#isLoading || load.firstIndex !== this.#state.log.nextToHand) return;
    assert(entries.length > 0);
    this.#isLoading = false;
    this.#loaded = entries;
  }

  /** The state machine stands elsewhere now. */
  restart(): void {
    this.#loaded = none;
    this.#isLoading = false;
  }

  #load(firstIndex: number): void {
    const { log, loads, limits, term } = this.#state;
    this.#isLoading = true;
    loads.push({
      purpose: "apply",
      firstIndex,
      lastIndex: Math.min(log.applicableIndex, log.firstInMemory - 1),
      bytesMax: limits.loadBytesMax,
      term,
    });
  }
}

const none: readonly Entry[] = [];
