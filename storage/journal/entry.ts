/** One entry of a group's log as the journal keeps it; the same shape as the replication module's. */
export interface JournalEntry {
  /** Dense, from 1. */
  readonly index: number;
  readonly term: number;
  readonly kind: JournalEntryKind;
  readonly baseOffset: number;
  readonly offsetCount: number;
  readonly payload: Uint8Array;
}

export type JournalEntryKind = "data" | "command" | "noop" | "configuration";

/** A group's term and vote. */
export interface JournalHardState {
  readonly term: number;
  /** A replica's number from 0 to 2^53 − 1, -1 for none. */
  readonly votedFor: number;
}

/** Entries up to and with `index`, whose term is `term`, live elsewhere. */
export interface JournalFloor {
  readonly index: number;
  readonly term: number;
  /** What the owner wants to find with the floor at the next start. */
  readonly state?: Uint8Array;
}

/** Where an entry's payload lies; valid until the group's floor passes the entry. */
export interface PayloadLocation {
  readonly fileSequence: number;
  readonly position: number;
  readonly sizeBytes: number;
  /** CRC of the payload alone, taken when its frame was verified; -1 where it was not, because this run wrote it. */
  readonly checksum: number;
}

/** An entry found at start; its payload stays on disk until `readPayload`. */
export interface RecoveredEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: JournalEntryKind;
  readonly baseOffset: number;
  readonly offsetCount: number;
  readonly location: PayloadLocation;
}

/** What the journal knew of a group at start; entries are dense from `floor.index + 1`. */
export interface RecoveredGroup {
  readonly hardState: JournalHardState;
  readonly floor: JournalFloor;
  readonly entries: readonly RecoveredEntry[];
}

/** CRC-32C of bytes, continued from `seed`. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number;
