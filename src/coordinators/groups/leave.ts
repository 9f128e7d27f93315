import { ErrorCode } from "#protocol/error-codes.ts";
import type { LeaveGroupRequest } from "#protocol/messages/leave-group.ts";
import type { ClassicGroup } from "./group.ts";
import type { LeaveGroupAnswer } from "./group-answers.ts";
import { GroupMember } from "./group-member.ts";
import type { GroupShard } from "./group-shard.ts";
import { claimedMember, type MemberClaim } from "./member-validation.ts";
import { removeMember, removePendingMember } from "./rebalance.ts";

/** From here on several members leave at once, by id or by static name (KIP-345). */
const batchFrom = 3;

/** Takes members out at once, without waiting for their sessions to end. */
export function leaveGroup(
  shard: GroupShard,
  request: LeaveGroupRequest,
  { version }: { version: number },
): LeaveGroupAnswer {
  const group = shard.find(request.groupId);
  const leave = (claim: MemberClaim): ErrorCode =>
    group ? leaveOne(shard, group, claim) : ErrorCode.unknownMemberId;

  if (version < batchFrom) {
    return { errorCode: leave({ memberId: request.memberId, groupInstanceId: null }), members: [] };
  }
  const members = request.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: leave({ memberId, groupInstanceId }),
  }));
  return { errorCode: ErrorCode.none, members };
}

function leaveOne(shard: GroupShard, group: ClassicGroup, claim: MemberClaim): ErrorCode {
  if (claim.groupInstanceId === null && group.pendingMembers.has(claim.memberId)) {
    removePendingMember(shard, group, claim.memberId);
    return ErrorCode.none;
  }
  const member = leavingMember(group, claim);
  if (!(member instanceof GroupMember)) return member;
  removeMember(shard, group, member);
  return ErrorCode.none;
}

/** Administrators remove a static member by its name alone; they do not know its id. */
function leavingMember(group: ClassicGroup, claim: MemberClaim): GroupMember | ErrorCode {
  if (claim.memberId === "" && claim.groupInstanceId !== null) {
    return group.staticMember(claim.groupInstanceId) ?? ErrorCode.unknownMemberId;
  }
  return claimedMember(group, claim);
}
