import type { Entry, EntryId, HardState } from "./entry.ts";
import type { Message, SnapshotPoint } from "./messages.ts";
import type { ReplicaId } from "./replica-id.ts";

/** What a replica wants of its host since it was last asked; each thing is handed out once. */
export interface Ready {
  /** To make durable, in the order in which writes are handed out; several may be under way. */
  readonly write: Write | undefined;
  /** To send now, while the write is under way: none of them promises anything that the write makes durable. */
  readonly messages: readonly Message[];
  /** Committed and durable here, dense, to apply in this order; `applied` tells when that is done. */
  readonly committed: readonly Entry[];
  /** Entries that are wanted and not in memory: read them from the journal and answer `loaded`. */
  readonly loads: readonly Load[];
  /** Replicas that need what the log has no more: bring them close, then `sendSnapshot`, or say `catchUpFailed`. */
  readonly catchUps: readonly ReplicaId[];
  /** Bring this replica's state to this point, all at once, then say `installed`, or `installFailed`. */
  readonly install: SnapshotPoint | undefined;
  /** Reads that are linearizable once `index` is applied. */
  readonly reads: readonly ConfirmedRead[];
  /** Set when role, leader or term are others than last time. */
  readonly leadership: Leadership | undefined;
}

/** What must be made durable, all of it or a prefix: hard state first, then entries. */
export interface Write {
  readonly hardState: HardState | undefined;
  /** Dense. One whose index is there already replaces it and all behind it. */
  readonly entries: readonly Entry[];
  readonly token: WriteToken;
}

/** Names a write, so that its completion counts only for what has not been truncated since. */
export interface WriteToken {
  /** Counts up by one with each write. */
  readonly sequence: number;
  readonly term: number;
  /** How often the log had been truncated. */
  readonly truncations: number;
}

/** A range of entries, both ends included, wanted for applying or for a replica. */
export interface Load {
  readonly purpose: "apply" | ReplicaId;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Stop once this many payload bytes are there; the first entry comes in any case. */
  readonly bytesMax: number;
  /** The term in which it was asked for. */
  readonly term: number;
}

/** A read that has been confirmed by a majority. */
export interface ConfirmedRead {
  readonly context: number;
  readonly index: number;
}

/** A replica's part in its group. */
export type RoleName = "follower" | "preCandidate" | "candidate" | "leader";

/** Who leads, as far as this replica knows. */
export interface Leadership {
  readonly role: RoleName;
  readonly term: number;
  /** `noReplica` where unknown. */
  readonly leader: ReplicaId;
}

/** The last entry that is not in the log any more, because its effect is durable elsewhere. */
export type Floor = EntryId;
