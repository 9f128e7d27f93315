import { ErrorCode } from "#protocol/error-codes.ts";
import type { HeartbeatRequest } from "#protocol/messages/heartbeat.ts";
import { GroupMember } from "./group-member.ts";
import type { GroupShard } from "./group-shard.ts";
import { claimedMember } from "./member-validation.ts";
import { restartSession } from "./rebalance.ts";

/** Keeps the member's session and reports a rebalance in progress, which the member then joins. */
export function heartbeat(shard: GroupShard, request: HeartbeatRequest): ErrorCode {
  const group = shard.find(request.groupId);
  if (!group) return ErrorCode.unknownMemberId;

  const member = claimedMember(group, request);
  if (!(member instanceof GroupMember)) return member;
  if (request.generationId !== group.generationId) return ErrorCode.illegalGeneration;

  restartSession(shard, group, member);
  return group.state === "PreparingRebalance" ? ErrorCode.rebalanceInProgress : ErrorCode.none;
}
