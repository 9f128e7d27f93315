import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup } from "./group.ts";
import type { JoinGroupAnswer, SyncGroupAnswer } from "./group-answers.ts";
import type { GroupMember } from "./group-member.ts";

/** What a member learns of the current generation; only the leader gets the members. */
export function joinAnswer(group: ClassicGroup, member: GroupMember): JoinGroupAnswer {
  return {
    errorCode: ErrorCode.none,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? "",
    skipAssignment: false,
    memberId: member.memberId,
    members: group.isLeader(member.memberId) ? memberList(group) : [],
  };
}

export function joinFailure(errorCode: ErrorCode, memberId: string): JoinGroupAnswer {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: "",
    skipAssignment: false,
    memberId,
    members: [],
  };
}

export function syncAnswer(group: ClassicGroup, member: GroupMember): SyncGroupAnswer {
  const { protocolType, protocolName } = group;
  return { errorCode: ErrorCode.none, protocolType, protocolName, assignment: member.assignment };
}

export function syncFailure(errorCode: ErrorCode): SyncGroupAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: new Uint8Array(0) };
}

function memberList(group: ClassicGroup): JoinGroupAnswer["members"] {
  return Array.from(group.members.values(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadataFor(group.protocolName),
  }));
}
