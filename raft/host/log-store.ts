import type { Entry, HardState } from "../core/entry.ts";
import type { SnapshotPoint } from "../core/messages.ts";

/** There is no room for an entry now; nothing of the call was staged, and a later one may succeed. */
export class LogFullError extends Error {
  constructor(options?: ErrorOptions) {
    super("Cannot append to the log: it is full", options);
    this.name = "LogFullError";
  }
}

/** What stands for a log's entries that live elsewhere. */
export interface FloorPoint extends SnapshotPoint {
  /** Set until the log has an entry of this term or a later one, where the replica has forgotten its log; see `RaftOptions`. */
  readonly rejoinTerm?: number | undefined;
}

/** Which durable entries to read again. */
export interface ReadRange {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Stop once this many payload bytes are there; the first entry comes in any case. */
  readonly bytesMax: number;
  /** Entries for which it says no may come with an empty payload: nobody looks at it. */
  readonly wantsPayload?: (entry: Omit<Entry, "payload">) => boolean;
}

/**
 * Where all groups of a node keep their entries and votes: the port that the journal fills.
 *
 * Obligations: what was staged before a `flush` is durable, all of it or a prefix in staging order, once
 * that flush resolved. A rejected flush means that durability is unknown: the process must end.
 */
export interface LogStore {
  /** Stages entries; one whose index is already there replaces it and all behind it. Payloads may be kept by reference until the flush resolves. @throws LogFullError */
  append(group: number, entries: readonly Entry[]): void;
  setHardState(group: number, state: HardState): void;
  /** Entries up to and with the point's live elsewhere (segments, snapshot) and are never asked for again. The point comes back at the next start. */
  advanceFloor(group: number, floor: FloorPoint): void;
  /** Drops all that is known of a deleted group. */
  forget(group: number): void;
  /** Makes everything staged so far durable in one write. Not called again before the last call settled. */
  flush(): Promise<void>;
  /** Reads durable entries, dense from `firstIndex`; fewer than asked for where some are replaced or released meanwhile. @throws what reading throws */
  read(group: number, range: ReadRange): Promise<readonly Entry[]>;
}
