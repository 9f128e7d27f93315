import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup } from "./group.ts";
import type { GroupMember } from "./group-member.ts";

/** Who a request says it comes from. */
export interface MemberClaim {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** The member that the claim names, or why it is nobody: a static name outranks the id that it came with. */
export function claimedMember(group: ClassicGroup, claim: MemberClaim): GroupMember | ErrorCode {
  if (claim.groupInstanceId !== null) {
    const holder = group.staticMember(claim.groupInstanceId);
    if (!holder) return ErrorCode.unknownMemberId;
    if (holder.memberId !== claim.memberId) return ErrorCode.fencedInstanceId;
    return holder;
  }
  return group.members.get(claim.memberId) ?? ErrorCode.unknownMemberId;
}
