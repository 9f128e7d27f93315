import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import type { Entry, HardState } from "#raft/core/entry.ts";
import type { SnapshotPoint } from "#raft/core/messages.ts";
import type { Floor, Load, Write } from "#raft/core/ready.ts";

/** What a crash leaves of a replica. */
export class ExploredDisk {
  hardState: HardState = { term: 0, votedFor: -1 };
  floor: Floor = { index: 0, term: 0 };
  nextOffset = 0;
  /** 0 unless the log was forgotten; see `RaftOptions`. */
  rejoinTerm = 0;
  configuration: Configuration;
  /** Dense, behind the floor. */
  entries: Entry[] = [];

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  get lastIndex(): number {
    return this.floor.index + this.entries.length;
  }

  /** A write has reached the disk, or the first `entryCount` of its entries have. */
  apply({ hardState, entries }: Write, entryCount = entries.length): void {
    if (hardState) this.hardState = hardState;
    const first = entries[0];
    if (!first || entryCount === 0) return;
    this.entries.length = first.index - this.floor.index - 1;
    for (let i = 0; i < entryCount; i++) {
      const entry = entries[i];
      if (entry) this.entries.push(entry);
    }
  }

  entryAt(index: number): Entry | undefined {
    return this.entries[index - this.floor.index - 1];
  }

  /** What is here of the range that is wanted. */
  read({ firstIndex, lastIndex }: Load): readonly Entry[] {
    return this.entries.filter(({ index }) => index >= firstIndex && index <= lastIndex);
  }

  /** Whether the entry that all logs have at a committed index is safe here. */
  holds(index: number, term: number): boolean {
    return index <= this.floor.index || this.entryAt(index)?.term === term;
  }

  release(point: SnapshotPoint): void {
    this.entries.splice(0, point.index - this.floor.index);
    this.floor = { index: point.index, term: point.term };
    this.nextOffset = point.nextOffset;
    this.configuration = point.configuration;
    if (point.term >= this.rejoinTerm) this.rejoinTerm = 0;
  }

  /** The replica has left its group: all but the term in which it may come back is gone. */
  forget(rejoinTerm: number, term: number): void {
    this.entries = [];
    this.floor = { index: 0, term: 0 };
    this.nextOffset = 0;
    this.configuration = votersOnly([]);
    this.hardState = { term, votedFor: -1 };
    this.rejoinTerm = rejoinTerm;
  }

  install(point: SnapshotPoint): void {
    this.entries = [];
    this.floor = { index: point.index, term: point.term };
    this.nextOffset = point.nextOffset;
    this.configuration = point.configuration;
    if (point.term >= this.rejoinTerm) this.rejoinTerm = 0;
  }
}
