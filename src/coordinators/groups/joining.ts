import { ErrorCode } from "#protocol/error-codes.ts";
import type { JoinGroupRequest } from "#protocol/messages/join-group.ts";
import type { JoinGroupAnswer } from "./group-answers.ts";
import type { GroupMember, MemberProtocol, MemberTimeouts } from "./group-member.ts";
import { joinFailure } from "./member-answers.ts";

/** What JoinGroup needs to know of its sender beyond the message. */
export interface JoinContext {
  readonly version: number;
  readonly clientId: string;
  readonly clientHost: string;
}

/** A JoinGroup on its way through the group. */
export interface Joining {
  readonly request: JoinGroupRequest;
  readonly context: JoinContext;
  /** Copies: the request's bytes belong to its frame. */
  readonly protocols: readonly MemberProtocol[];
  readonly answer: (response: JoinGroupAnswer) => void;
}

/** Parks a JoinGroup; one that the same member left here gets an answer, so that its connection goes on. */
export function parkInstead(member: GroupMember, { answer }: Joining): void {
  member.answerJoin(joinFailure(ErrorCode.rebalanceInProgress, member.memberId));
  member.parkJoin(answer);
}

/** Version 0 has no rebalance timeout: the session's stands in. */
export function timeoutsOf({ sessionTimeoutMs, rebalanceTimeoutMs }: JoinGroupRequest): MemberTimeouts {
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
  };
}

/** Bytes of our own, where a request's would keep its whole frame in memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
