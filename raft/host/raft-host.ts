import { strict as assert } from "node:assert";
import type { Entry, HardState } from "../core/entry.ts";
import { LogFullError, type LogStore } from "./log-store.ts";
import { type Floor, RaftGroup } from "./raft-group.ts";
import type { StateMachine } from "./state-machine.ts";

export interface RaftHostOptions {
  readonly nodeId: number;
  readonly log: LogStore;
  /** Runs a callback once the work that is ready now has run; passes gather what came in between. */
  readonly schedulePass: (callback: () => void) => void;
  /** Runs a callback after a while: the journal had no room for an entry and is asked again. */
  readonly scheduleRetry: (callback: () => void) => void;
  /** A durable write failed: nothing is known of the disk any more and the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** What a group starts from. */
export interface GroupStart {
  readonly id: number;
  readonly stateMachine: StateMachine;
  readonly hardState?: HardState;
  readonly floor?: Floor;
  /** Committed entries behind the floor, in order. */
  readonly entries?: AsyncIterable<Entry>;
  /** Where the state machine's data ends without these entries. */
  readonly nextOffset?: number;
}

interface StagedGroup {
  readonly group: RaftGroup;
  readonly term: number;
  /** 0 where there was room for no entry. */
  readonly lastIndex: number;
  readonly payloadBytes: number;
}

/**
 * All groups of a node, driven in passes: gather what the dirty groups want, one journal write for all,
 * then commit and apply. While a write is under way proposals gather for the next one (group commit).
 */
export class RaftHost {
  readonly #options: RaftHostOptions;
  readonly #groups = new Map<number, RaftGroup>();
  readonly #dirty = new Set<RaftGroup>();
  readonly #passWaiters: (() => void)[] = [];
  #mustFlush = false;
  #isLogFull = false;
  #proposedBytes = 0;
  #passScheduled = false;
  #writing = false;
  #stopped = false;

  constructor(options: RaftHostOptions) {
    this.#options = options;
  }

  /** Payload bytes that are proposed and not durable yet. */
  get proposedBytes(): number {
    return this.#proposedBytes;
  }

  group(id: number): RaftGroup | undefined {
    return this.#groups.get(id);
  }

  /** Brings a group up from what the disk kept, applies its entries and makes this node its leader. */
  async start(start: GroupStart): Promise<RaftGroup> {
    assert(!this.#groups.has(start.id));
    const group = new RaftGroup({
      id: start.id,
      nodeId: this.#options.nodeId,
      stateMachine: start.stateMachine,
      hardState: start.hardState ?? { term: 0, votedFor: -1 },
      floor: start.floor ?? { index: 0, term: 0 },
      nextOffset: start.nextOffset ?? 0,
      onPropose: (dirty, payloadBytes) => {
        this.#proposedBytes += payloadBytes;
        this.#markDirty(dirty);
      },
    });
    this.#groups.set(start.id, group);
    // A log that knows nothing of the group learns where its entries begin.
    if (start.floor && start.floor.index > 0) this.#options.log.advanceFloor(start.id, start.floor);
    for await (const entry of start.entries ?? []) group.restore(entry);
    group.campaign();
    return group;
  }

  /** Resolves when the term of a group is durable, or it is there no more. */
  async termDurable(group: RaftGroup): Promise<void> {
    const isThere = () => !this.#stopped && this.#groups.get(group.id) === group;
    while (isThere() && !group.isTermDurable) await this.#nextPass();
  }

  /** Forgets a group, whether it was started or not, and all that the journal has of it. */
  remove(id: number): void {
    const group = this.#groups.get(id);
    this.#groups.delete(id);
    if (group && this.#dirty.delete(group)) this.#proposedBytes -= group.unpersistedBytes;
    this.#options.log.forget(id);
    this.#mustFlush = true;
    this.#schedule();
  }

  /** A group's data below `offset` is durable in its segments. */
  releaseThroughOffset(id: number, offset: number): void {
    this.#advanceFloor(id, this.#groups.get(id)?.releaseThroughOffset(offset));
  }

  /** A group's entries up to `index` are durable in a snapshot. */
  releaseThroughIndex(id: number, index: number): void {
    this.#advanceFloor(id, this.#groups.get(id)?.releaseThroughIndex(index));
  }

  /** Makes floors that moved durable, which otherwise ride with the next entries; waits for no entry. */
  async flushFloors(): Promise<void> {
    this.#mustFlush = true;
    // Floors are what makes room: they must not wait for it.
    this.#isLogFull = false;
    this.#schedule();
    // The write under way was staged before.
    while (!this.#stopped && (this.#mustFlush || this.#writing)) await this.#nextPass();
  }

  /** Resolves when nothing is waiting for the journal any more, or only what it has no room for. */
  async drained(): Promise<void> {
    while (!this.#stopped && this.#hasWork) await this.#nextPass();
  }

  /** Starts no further pass and applies nothing more; resolves when no write is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakePassWaiters();
    while (this.#writing) await this.#nextPass();
  }

  get #hasWork(): boolean {
    return this.#writing || this.#mustFlush || (this.#dirty.size > 0 && !this.#isLogFull);
  }

  #nextPass(): Promise<void> {
    return new Promise((resolve) => this.#passWaiters.push(resolve));
  }

  #advanceFloor(id: number, floor: Floor | undefined): void {
    if (!floor) return;
    // Not worth a write of its own: it rides with the next pass, or with the journal's next file.
    this.#options.log.advanceFloor(id, floor);
  }

  #markDirty(group: RaftGroup): void {
    this.#dirty.add(group);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#passScheduled || this.#writing || this.#stopped || this.#isLogFull) return;
    this.#passScheduled = true;
    this.#options.schedulePass(() => {
      this.#passScheduled = false;
      this.#pass().catch((error: unknown) => {
        this.#stopped = true;
        this.#wakePassWaiters();
        this.#options.onFatal(error);
      });
    });
  }

  async #pass(): Promise<void> {
    if (this.#writing || this.#stopped) return;
    this.#writing = true;
    let staged: StagedGroup[];
    try {
      staged = this.#stageDirtyGroups();
      await this.#options.log.flush();
    } finally {
      this.#writing = false;
    }
    for (const { group, term, lastIndex, payloadBytes } of staged) {
      this.#proposedBytes -= payloadBytes;
      if (this.#stopped || this.#groups.get(group.id) !== group) continue;
      group.persisted({ index: lastIndex, term });
    }
    if (this.#dirty.size > 0 || this.#mustFlush) this.#schedule();
    this.#wakePassWaiters();
  }

  #stageDirtyGroups(): StagedGroup[] {
    const staged: StagedGroup[] = [];
    this.#mustFlush = false;
    for (const group of [...this.#dirty]) {
      const entries = this.#stage(group);
      const lastIndex = entries.at(-1)?.index ?? 0;
      const payloadBytes = entries.reduce((sum, entry) => sum + entry.payload.length, 0);
      staged.push({ group, term: group.term, lastIndex, payloadBytes });
    }
    return staged;
  }

  /** Hands the log what it has room for of a group's entries, the oldest first. */
  #stage(group: RaftGroup): readonly Entry[] {
    const { log } = this.#options;
    const { hardState, entries } = group.unpersisted();
    if (hardState) log.setHardState(group.id, hardState);
    let count = entries.length;
    if (!this.#append(group, entries)) {
      // All at once may be more than the log ever has room for.
      count = 0;
      for (const entry of entries) {
        if (!this.#append(group, [entry])) break;
        count += 1;
      }
      // The rest stays: it is neither durable nor refused until there is room.
      if (count < entries.length) this.#retryLater();
    }
    group.staged(count);
    if (count === entries.length) this.#dirty.delete(group);
    return entries.slice(0, count);
  }

  #append(group: RaftGroup, entries: readonly Entry[]): boolean {
    try {
      this.#options.log.append(group.id, entries);
      return true;
    } catch (error) {
      if (error instanceof LogFullError) return false;
      throw error;
    }
  }

  #retryLater(): void {
    if (this.#isLogFull) return;
    this.#isLogFull = true;
    this.#options.scheduleRetry(() => {
      this.#isLogFull = false;
      this.#schedule();
    });
  }

  #wakePassWaiters(): void {
    for (const wake of this.#passWaiters.splice(0)) wake();
  }
}
