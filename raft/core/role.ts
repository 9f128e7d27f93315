import type { Message } from "./messages.ts";
import type { RoleName } from "./ready.ts";
import type { ReplicaId } from "./replica-id.ts";

/** What a replica does in one role; messages that come here are of its own term, or about a PreVote. */
export interface Role {
  readonly name: RoleName;
  /** Who leads, as far as known. */
  readonly leader: ReplicaId;
  /** A leader was heard of within the election timeout: nobody gets a vote against it. */
  readonly hasLease: boolean;
  tick(): void;
  step(message: Message): void;
}

/** How a role ends: the replica takes on another. */
export interface Transitions {
  becomeFollower(term: number, leader: ReplicaId): void;
  /** Asks whether an election could be won, before it disturbs anybody. */
  becomePreCandidate(): void;
  becomeCandidate(options: { isTransfer: boolean }): void;
  becomeLeader(): void;
}
