import type { ReplicaId } from "./replica-id.ts";

/** One entry of a group's Raft log, as the host proposes, stores and applies it. */
export interface Entry {
  /** Dense, from 1. */
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  /** First Kafka offset of a data entry; for other kinds the offset that the next data entry gets. */
  readonly baseOffset: number;
  /** Offsets that the entry takes: 0 unless it carries data. */
  readonly offsetCount: number;
  readonly payload: Uint8Array;
}

/** data: a record batch · command: a state machine's own bytes · noop: a new leader's first entry · configuration: voters. */
export type EntryKind = "data" | "command" | "noop" | "configuration";

/** What a group must never forget across a crash (Raft figure 2, "persistent state"). */
export interface HardState {
  readonly term: number;
  /** Replica voted for in `term`, `noReplica` (-1) for none. */
  readonly votedFor: ReplicaId;
}

/** Where an entry lies in the order of all logs: what elections and log matching compare. */
export interface EntryId {
  readonly index: number;
  readonly term: number;
}
