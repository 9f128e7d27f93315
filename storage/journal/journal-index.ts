import type { JournalFloor, JournalHardState } from "./entry.ts";
import type { JournalFile } from "./journal-file.ts";
import { type RecordCursor, recordBytes } from "./record.ts";

/** What a state frame tells of a group, and how far its entries reach. */
export interface GroupState {
  hardState: JournalHardState | undefined;
  floor: JournalFloor | undefined;
  lastIndex: number;
}

/**
 * What the journal durably holds, record by record, both while it is replayed and after each write.
 *
 * Only what is on disk enters here: a floor that is merely staged must not let a file go.
 */
export class JournalIndex {
  readonly #groups = new Map<number, GroupState>();
  #floorStateBytes = 0;

  get groups(): ReadonlyMap<number, GroupState> {
    return this.#groups;
  }

  /** Bytes of the records that a state frame takes, at the most. */
  get stateRecordBytes(): number {
    return this.#groups.size * (recordBytes.hardState + recordBytes.floor) + this.#floorStateBytes;
  }

  /** Takes in one durable record, which lies in the last of `files`. */
  apply(record: RecordCursor, files: readonly JournalFile[]): void {
    switch (record.kind) {
      case "entry":
        this.#applyEntry(record, files);
        break;
      case "hardState":
        this.#group(record.group).hardState = { term: record.term, votedFor: record.votedFor };
        break;
      case "floor":
        this.#applyFloor(record);
        break;
      case "forget":
        this.#floorStateBytes -= stateBytes(this.#groups.get(record.group)?.floor);
        this.#groups.delete(record.group);
        for (const file of files) file.lastIndexes.delete(record.group);
        break;
      default:
        record.kind satisfies never;
    }
  }

  /** Whether a group still needs an entry of the file; groups that do not are taken off its list. */
  isAlive(file: JournalFile): boolean {
    for (const [group, lastIndex] of file.lastIndexes) {
      if (lastIndex > this.#floorIndex(group)) return true;
      file.lastIndexes.delete(group);
    }
    return false;
  }

  /** Groups whose entries keep the file alive. */
  groupsIn(file: JournalFile): number[] {
    const holding: number[] = [];
    for (const [group, lastIndex] of file.lastIndexes) {
      if (lastIndex > this.#floorIndex(group)) holding.push(group);
    }
    return holding;
  }

  #applyEntry({ group, index }: RecordCursor, files: readonly JournalFile[]): void {
    const state = this.#group(group);
    if (index <= state.lastIndex) this.#truncate(group, index, files);
    state.lastIndex = index;
    files.at(-1)?.lastIndexes.set(group, index);
  }

  /** Entries from `index` on are replaced, so older files need to last only for what comes before it. */
  #truncate(group: number, index: number, files: readonly JournalFile[]): void {
    for (const { lastIndexes } of files) {
      if ((lastIndexes.get(group) ?? 0) >= index) lastIndexes.set(group, index - 1);
    }
  }

  #applyFloor({ group, index, floor }: RecordCursor): void {
    const state = this.#group(group);
    if (index < (state.floor?.index ?? 0)) return;
    this.#floorStateBytes += stateBytes(floor) - stateBytes(state.floor);
    state.floor = floor;
    state.lastIndex = Math.max(state.lastIndex, index);
  }

  #floorIndex(group: number): number {
    const state = this.#groups.get(group);
    // A forgotten group needs nothing any more.
    return state ? (state.floor?.index ?? 0) : Number.MAX_SAFE_INTEGER;
  }

  #group(group: number): GroupState {
    let state = this.#groups.get(group);
    if (!state) {
      state = { hardState: undefined, floor: undefined, lastIndex: 0 };
      this.#groups.set(group, state);
    }
    return state;
  }
}

function stateBytes(floor: JournalFloor | undefined): number {
  return floor?.state?.byteLength ?? 0;
}
