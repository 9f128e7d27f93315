import type { Entry } from "../core/entry.ts";
import type { Load } from "../core/ready.ts";
import type { LogStore } from "./log-store.ts";
import type { RaftGroup } from "./raft-group.ts";

/** Loads that may be with the disk at a time: reads must not hold up the journal's writes, nor fill the memory. */
const loadsMax = 4;

/** What the host does for loads. */
interface LoadOwner {
  /** Whether the group is still there, and the host still running. */
  readonly has: (group: RaftGroup) => boolean;
  /** Told that the group has something for the next pass. */
  readonly onWork: (group: RaftGroup) => void;
}

/** Reads entries again that have left memory, a few groups at a time. */
export class LoadQueue {
  readonly #log: LogStore;
  readonly #owner: LoadOwner;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(log: LogStore, owner: LoadOwner) {
    this.#log = log;
    this.#owner = owner;
  }

  /** Whether anything is being read or waits to be. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Gives a group the entries that it asks for, or the first ones. @throws what the log throws */
  async load(group: RaftGroup, load: Load): Promise<void> {
    const entries = await this.#read(group, load);
    if (!this.#owner.has(group)) return;
    // The floor in the log is ahead of the group's until the point is durable.
    if (load.purpose === "apply" && group.raft.isInstalling) return;
    if (entries.length > 0 || load.firstIndex <= group.floor.index) group.raft.loaded(load, entries);
    else if (load.purpose === "apply")
      throw new Error(`Cannot apply entry ${load.firstIndex} of group ${group.id}: the log has lost it`);
    // Replaced while it was read: what the replica needs is another thing now.
    else group.raft.lost(load.purpose);
    this.#owner.onWork(group);
  }

  async #read(
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
