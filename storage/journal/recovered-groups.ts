import type {
  JournalFloor,
  JournalHardState,
  PayloadLocation,
  RecoveredEntry,
  RecoveredGroup,
} from "./entry.ts";
import type { RecordCursor } from "./record.ts";

/** Entries that cannot be used because others before them are lost. */
export interface EntryGap {
  readonly group: number;
  /** First index that is missing. */
  readonly index: number;
  /** Entries behind the gap, dropped with it. */
  readonly droppedCount: number;
}

interface Group {
  hardState: JournalHardState;
  floor: JournalFloor;
  /** By rising index; gaps are judged at the end, when the last floor is known. */
  entries: RecoveredEntry[];
}

/** Puts the groups' logs together while the journal is replayed. */
export class RecoveredGroups {
  readonly #groups = new Map<number, Group>();

  /** Takes in the next record; `locate` is asked only for entries. */
  apply(record: RecordCursor, locate: (record: RecordCursor) => PayloadLocation): void {
    switch (record.kind) {
      case "entry":
        append(this.#group(record.group), entryOf(record, locate(record)));
        break;
      case "hardState":
        this.#group(record.group).hardState = { term: record.term, votedFor: record.votedFor };
        break;
      case "floor":
        raiseFloor(this.#group(record.group), record.floor);
        break;
      case "forget":
        this.#groups.delete(record.group);
        break;
      default:
        record.kind satisfies never;
    }
  }

  /** All groups, each log cut where entries are missing, and those cuts. */
  finish(): { groups: Map<number, RecoveredGroup>; gaps: EntryGap[] } {
    const gaps: EntryGap[] = [];
    for (const [group, { floor, entries }] of this.#groups) {
      const firstBad = entries.findIndex(({ index }, at) => index !== floor.index + 1 + at);
      if (firstBad < 0) continue;
      const dropped = entries.splice(firstBad);
      gaps.push({ group, index: floor.index + 1 + firstBad, droppedCount: dropped.length });
    }
    return { groups: this.#groups, gaps };
  }

  #group(id: number): Group {
    let group = this.#groups.get(id);
    if (!group) {
      group = { hardState: { term: 0, votedFor: -1 }, floor: { index: 0, term: 0 }, entries: [] };
      this.#groups.set(id, group);
    }
    return group;
  }
}

function append(group: Group, entry: RecoveredEntry): void {
  const { entries } = group;
  for (let last = entries.at(-1); last && last.index >= entry.index; last = entries.at(-1)) entries.pop();
  // A flush may pass the floor while the entry was already on its way.
  if (entry.index > group.floor.index) entries.push(entry);
}

function raiseFloor(group: Group, floor: JournalFloor): void {
  if (floor.index < group.floor.index) return;
  const kept = group.entries.findIndex(({ index }) => index > floor.index);
  const dropped = group.entries.splice(0, kept < 0 ? group.entries.length : kept);
  const last = dropped.at(-1);
  // A snapshot of another history than the log's: what follows in the log is not its continuation.
  if (last?.index === floor.index && last.term !== floor.term) group.entries = [];
  group.floor = floor;
}

function entryOf(record: RecordCursor, location: PayloadLocation): RecoveredEntry {
  return {
    index: record.index,
    term: record.term,
    kind: record.entryKind,
    baseOffset: record.baseOffset,
    offsetCount: record.offsetCount,
    location,
  };
}
