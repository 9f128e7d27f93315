import type { Write, WriteToken } from "../core/ready.ts";
import { LogFullError, type LogStore } from "./log-store.ts";
import type { RaftGroup } from "./raft-group.ts";

/** A write of one group on its way to the disk. */
export interface GroupWrite {
  readonly group: RaftGroup;
  write: Write;
  readonly sizeBytes: number;
}

/** Term and vote of a write whose entries wait for room. */
export interface GroupHardState {
  readonly group: RaftGroup;
  readonly token: WriteToken;
}

/** What one flush makes durable. */
export interface TakenWrites {
  readonly writes: readonly GroupWrite[];
  readonly hardStates: readonly GroupHardState[];
}

/**
 * Writes from the groups to the log, each group's in order. Those that the log has no room for wait, and with
 * them all later ones of their group: they are neither durable nor refused until there is room. Terms and votes wait
 * for nothing: a replica without room for entries must still be able to elect others.
 */
export class WriteQueue {
  readonly #log: LogStore;
  #staged: GroupWrite[] = [];
  #hardStates: GroupHardState[] = [];
  readonly #held = new Map<RaftGroup, GroupWrite[]>();
  #bytes = 0;

  constructor(log: LogStore) {
    this.#log = log;
  }

  /** Payload bytes of writes that have not completed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the next flush would make a write durable. */
  get hasStaged(): boolean {
    return this.#staged.length > 0 || this.#hardStates.length > 0;
  }

  /** Whether writes wait for room. */
  get isFull(): boolean {
    return this.#held.size > 0;
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

  /** Tries the writes that wait for room. */
  retry(): void {
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

  /** Takes what the flush that begins now makes durable. */
  take(): TakenWrites {
    const taken = { writes: this.#staged, hardStates: this.#hardStates };
    this.#staged = [];
    this.#hardStates = [];
    return taken;
  }

  /** Writes that were taken are durable. */
  completed(writes: readonly GroupWrite[]): void {
    for (const { sizeBytes } of writes) this.#bytes -= sizeBytes;
  }

  /** Lets groups that nobody leads do without entries for which there is no room. */
  discardUnled(): void {
    for (const { group, firstIndex } of this.#waiting()) {
      if (!group.raft.canDiscard) continue;
      this.dropEntries(group, group.raft.discardFrom(firstIndex));
      this.retry();
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
