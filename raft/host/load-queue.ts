import type { Entry } from "../core/entry.ts";
import type { Load } from "../core/ready.ts";
import type { LogStore } from "./log-store.ts";
import type { RaftGroup } from "./raft-group.ts";

/** Loads that may be with the disk at a time: reads must not hold up the journal's writes, nor fill the memory. */
const loadsMax = 4;

/** Reads entries again that have left memory, a few groups at a time. */
export class LoadQueue {
  readonly #log: LogStore;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(log: LogStore) {
    this.#log = log;
  }

  /** Whether anything is being read or waits to be. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** The entries of a load, or its first ones. @throws what the log throws */
  async read(
    group: RaftGroup,
    { purpose, firstIndex, lastIndex, bytesMax }: Load,
  ): Promise<readonly Entry[]> {
    const { stateMachine } = group;
    const range = { firstIndex, lastIndex, bytesMax };
    while (this.#running >= loadsMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      if (purpose !== "apply") return await this.#log.read(group.id, range);
      await stateMachine.beforeReplay?.();
      const wantsPayload = (entry: Omit<Entry, "payload">) =>
        entry.kind !== "noop" && (stateMachine.wantsPayload?.(entry) ?? true);
      return await this.#log.read(group.id, { ...range, wantsPayload });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
