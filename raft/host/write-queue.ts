import type { Write, WriteToken } from "../core/ready.ts";
import { LogFullError, type LogStore } from "./log-store.ts";
import type { RaftGroup } from "./raft-group.ts";

/** A write of one group on its way to the disk. */
interface GroupWrite {
  readonly group: RaftGroup;
  write: Write;
  readonly sizeBytes: number;
}

/** Term and vote of a write whose entries wait for room. */
interface GroupHardState {
  readonly group: RaftGroup;
  readonly token: WriteToken;
}

/** What one flush has made durable. */
export interface FlushedWrites {
  readonly writes: readonly GroupWrite[];
  readonly hardStates: readonly GroupHardState[];
}

/** What the queue takes from the host and its world. */
interface WriteQueueOptions {
  readonly log: LogStore;
  /** Runs a callback after a while, unless the answer is called. */
  readonly scheduleRetry: (callback: () => void) => () => void;
  /** Told that it is time to `retry`. */
  readonly onRetryDue: () => void;
  /** Told what is durable now. */
  readonly onFlushed: (flushed: FlushedWrites) => void;
}

/**
 * Writes from the groups to the log, each group's in order, with one flush at a time for all of them. Those that the
 * log has no room for wait, and with them all later ones of their group: they are neither durable nor refused until
 * there is room. Terms and votes wait for nothing: a replica without room for entries must still be able to elect
 * others.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #log: LogStore;
  #staged: GroupWrite[] = [];
  #hardStates: GroupHardState[] = [];
  readonly #held = new Map<RaftGroup, GroupWrite[]>();
  #bytes = 0;
  #isFlushing = false;
  #isFlushDemanded = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** Payload bytes of writes that have not completed. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  /** Whether there is anything for the next flush. */
  get wantsFlush(): boolean {
    return this.#staged.length > 0 || this.#hardStates.length > 0 || this.#isFlushDemanded;
  }

  /** Whether `demandFlush` was called for the next flush. */
  get isFlushDemanded(): boolean {
    return this.#isFlushDemanded;
  }

  /** Asks for a flush that waits for no entry: what was told to the log otherwise is to be durable. */
  demandFlush(): void {
    this.#isFlushDemanded = true;
  }

  add(group: RaftGroup, write: Write): void {
    let sizeBytes = 0;
    for (const entry of write.entries) sizeBytes += entry.payload.length;
    this.#bytes += sizeBytes;
    const groupWrite = { group, write, sizeBytes };
    const held = this.#held.get(group);
    if (!held) {
      if (!this.#stage(groupWrite)) this.#held.set(group, [groupWrite]);
      return;
    }
    const { hardState } = write;
    if (hardState) this.#log.setHardState(group.id, hardState);
    this.#goAhead(groupWrite);
    held.push(groupWrite);
  }

  /** Tries the writes that wait for room, unless that is to wait for a while. */
  retry(): void {
    if (this.#isFlushDemanded || !this.#cancelRetry) this.#retryHeld();
  }

  /** Sees to it that writes which wait for room are tried again. */
  retryLater(): void {
    if (this.#held.size === 0) return;
    this.#cancelRetry ??= this.#options.scheduleRetry(() => {
      this.#cancelRetry = undefined;
      this.#options.onRetryDue();
    });
  }

  /** Makes durable what is staged; not called again while it is flushing. @throws what the log throws */
  async flush(): Promise<void> {
    this.#isFlushing = true;
    this.#isFlushDemanded = false;
    const flushed = { writes: this.#staged, hardStates: this.#hardStates };
    this.#staged = [];
    this.#hardStates = [];
    try {
      await this.#log.flush();
    } finally {
      this.#isFlushing = false;
    }
    for (const { sizeBytes } of flushed.writes) this.#bytes -= sizeBytes;
    this.#options.onFlushed(flushed);
  }

  /** Tries nothing more by itself; a flush under way still ends. */
  stop(): void {
    this.#cancelRetry?.();
  }

  /** Lets groups that nobody leads do without entries for which there is no room. */
  discardUnled(): void {
    for (const { group, firstIndex } of this.#waiting()) {
      if (!group.raft.canDiscard) continue;
      this.dropEntries(group, group.raft.discardFrom(firstIndex));
      this.#retryHeld();
    }
  }

  /** The group is gone: what waits for room is forgotten. */
  drop(group: RaftGroup): void {
    for (const { sizeBytes } of this.#held.get(group) ?? []) this.#bytes -= sizeBytes;
    this.#held.delete(group);
  }

  /** Entries from `firstIndex` on, all unless told, have no place in the group's log any more; their writes still complete. */
  dropEntries(group: RaftGroup, firstIndex = 0): void {
    for (const held of this.#held.get(group) ?? []) {
      const entries = held.write.entries.filter(({ index }) => index < firstIndex);
      held.write = { ...held.write, entries };
    }
  }

  /** Groups for whose writes there is no room, and the first entry that waits. */
  *#waiting(): Generator<{ readonly group: RaftGroup; readonly firstIndex: number }> {
    for (const [group, held] of this.#held) {
      const first = held.find(({ write }) => write.entries.length > 0)?.write.entries[0];
      if (first) yield { group, firstIndex: first.index };
    }
  }

  #retryHeld(): void {
    for (const [group, held] of this.#held) {
      let count = 0;
      for (const write of held) {
        if (!this.#stage(write)) break;
        count += 1;
      }
      held.splice(0, count);
      if (held.length === 0) this.#held.delete(group);
    }
  }

  #stage(groupWrite: GroupWrite): boolean {
    const { group, write } = groupWrite;
    if (write.hardState) this.#log.setHardState(group.id, write.hardState);
    try {
      if (write.entries.length > 0) this.#log.append(group.id, write.entries);
    } catch (error) {
      if (!(error instanceof LogFullError)) throw error;
      this.#goAhead(groupWrite);
      return false;
    }
    this.#staged.push(groupWrite);
    return true;
  }

  /** Term and vote have gone ahead of the write's entries, and go no second time: later ones may have followed them. */
  #goAhead(groupWrite: GroupWrite): void {
    const { group, write } = groupWrite;
    if (!write.hardState) return;
    this.#hardStates.push({ group, token: write.token });
    groupWrite.write = { ...write, hardState: undefined };
  }
}
