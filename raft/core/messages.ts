import type { Configuration } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import type { ReplicaId } from "./replica-id.ts";

/** All that replicas of one group say to each other; each kind has exactly the fields that it needs. */
export type Message =
  | Vote
  | VoteAnswer
  | Append
  | AppendAccepted
  | AppendRejected
  | Heartbeat
  | HeartbeatAnswer
  | TimeoutNow
  | ReadIndex
  | ReadIndexAnswer
  | Snapshot
  | SnapshotRefused;

/** The kinds by name, for tables. */
export type MessageKind = Message["kind"];

interface Envelope {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  /** The sender's term; a PreVote asks with the term that it would campaign in. */
  readonly term: number;
}

/** Asks for a vote, or with `preVote` whether a vote would be given (Raft thesis, 3.4 and 9.6). */
export interface Vote extends Envelope {
  readonly kind: "vote";
  readonly preVote: boolean;
  /** The leader itself asked for this election: the voter need not wait for its silence (Raft thesis, 3.10). */
  readonly isTransfer: boolean;
  /** Where the asker's log ends. */
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** Given: `term` is the one asked for. Refused: it is the voter's own, and tells an asker that is behind. */
export interface VoteAnswer extends Envelope {
  readonly kind: "voteAnswer";
  readonly preVote: boolean;
  readonly isGranted: boolean;
  /**
   * The last entry that the voter knows to be committed: an asker that has it, and does not know, may have missed
   * the configuration that decides about it. A voter that has left the group cannot tell it in any other way.
   */
  readonly commitIndex: number;
  readonly commitTerm: number;
}

/** Entries behind (previousIndex, previousTerm), dense; none: only the commit index is news, or the place is probed. */
export interface Append extends Envelope {
  readonly kind: "append";
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly commitIndex: number;
  readonly entries: readonly Entry[];
}

/** The follower holds, durably, the leader's log up to `matchIndex`. */
export interface AppendAccepted extends Envelope {
  readonly kind: "appendAccepted";
  readonly matchIndex: number;
}

/** The follower has no entry (rejectedIndex, previousTerm); a match can at best be at the hint. */
export interface AppendRejected extends Envelope {
  readonly kind: "appendRejected";
  /** `previousIndex` of the refused append. */
  readonly rejectedIndex: number;
  /** The follower's last entry whose term is not above the refused one: where to try next. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** The leader lives. Says nothing of the log but what the leader knows to match: it never truncates. */
export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
  /** min(the leader's commit index, the follower's match index). */
  readonly commitIndex: number;
  /** Number of the leader's newest read request that an answer confirms, 0 for none. */
  readonly readContext: number;
}

/** The follower knows no newer leader; also what a replica tells a sender of an older term, so that it steps down. */
export interface HeartbeatAnswer extends Envelope {
  readonly kind: "heartbeatAnswer";
  readonly readContext: number;
}

/** The leader hands over: the receiver campaigns at once. */
export interface TimeoutNow extends Envelope {
  readonly kind: "timeoutNow";
}

/** A follower asks its leader for an index that a linearizable read has to wait for. */
export interface ReadIndex extends Envelope {
  readonly kind: "readIndex";
  /** The follower's own number for the request, handed back. */
  readonly context: number;
}

/** The commit index as of the request, confirmed by a majority. */
export interface ReadIndexAnswer extends Envelope {
  readonly kind: "readIndexAnswer";
  readonly context: number;
  readonly index: number;
}

/** Where a group's applied state stood after an entry; the data itself travels out of band. */
export interface SnapshotPoint {
  readonly index: number;
  /** Term of the entry at `index`. */
  readonly term: number;
  /** The offset that the next data entry gets. */
  readonly nextOffset: number;
  readonly configuration: Configuration;
}

/** The leader's log begins behind what the follower needs: it is to install the state as of this point. */
export interface Snapshot extends Envelope {
  readonly kind: "snapshot";
  readonly point: SnapshotPoint;
}

/** The follower could not install it; success is an `appendAccepted` at the point's index. */
export interface SnapshotRefused extends Envelope {
  readonly kind: "snapshotRefused";
  /** Index of the refused point. */
  readonly index: number;
}

/** Whether only the leader of the message's term sends such a message. */
export function isFromLeader({ kind }: Message): boolean {
  return kind === "append" || kind === "heartbeat" || kind === "snapshot";
}
