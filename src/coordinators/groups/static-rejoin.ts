import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup } from "./group.ts";
import type { GroupMember } from "./group-member.ts";
import { groupMetadataRecord } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";
import { type Joining, timeoutsOf } from "./joining.ts";
import { joinAnswer, joinFailure, syncFailure } from "./member-answers.ts";
import { restartSession, startRebalance } from "./rebalance.ts";

/** From here on a leader that comes back is told so, and told not to assign again (KIP-814). */
const skipAssignmentFrom = 9;

/** A static member's restart: who holds the name now, and the id that the newcomer gets. */
export interface StaticRejoin {
  readonly member: GroupMember;
  readonly memberId: string;
  readonly joining: Joining;
}

/**
 * Hands a static member's place to its restarted self (KIP-345). In a stable group whose protocol stays the same,
 * nobody else notices: the new id is stored and the current generation is the answer.
 */
export function rejoinStatic(shard: GroupShard, group: ClassicGroup, rejoin: StaticRejoin): void {
  const before = takePlace(shard, group, rejoin);
  switch (group.state) {
    case "Stable":
      if (group.electProtocol() === group.protocolName) void storeNewId(shard, group, rejoin, before);
      else startRebalance(shard, group);
      break;
    case "CompletingRebalance":
      // The leader may already be assigning to the old id, and the new one would go without.
      startRebalance(shard, group);
      break;
    case "PreparingRebalance":
    case "Empty":
    case "Dead":
      break;
    default:
      group.state satisfies never;
  }
}

type Place = Pick<GroupMember, "memberId" | "clientId" | "clientHost" | "timeouts" | "protocols"> & {
  readonly leaderId: string | null;
};

/** Fences the old self, whose requests may still be parked, and answers what its place looked like. */
function takePlace(
  shard: GroupShard,
  group: ClassicGroup,
  { member, memberId, joining }: StaticRejoin,
): Place {
  const { clientId, clientHost, timeouts, protocols } = member;
  const before: Place = {
    memberId: member.memberId,
    clientId,
    clientHost,
    timeouts,
    protocols,
    leaderId: group.leaderId,
  };
  member.answerJoin(joinFailure(ErrorCode.fencedInstanceId, member.memberId));
  member.answerSync(syncFailure(ErrorCode.fencedInstanceId));

  group.rename(member, memberId);
  group.replaceProtocols(member, joining.protocols);
  member.clientId = joining.context.clientId;
  member.clientHost = joining.context.clientHost;
  member.timeouts = timeoutsOf(joining.request);
  member.parkJoin(joining.answer);
  restartSession(shard, group, member, member.isNew ? shard.config.newMemberJoinTimeoutMs : undefined);
  return before;
}

async function storeNewId(
  shard: GroupShard,
  group: ClassicGroup,
  { member, memberId, joining }: StaticRejoin,
  before: Place,
): Promise<void> {
  const { generationId } = group;
  group.refreshSubscription();
  const errorCode = await shard.inTime(shard.append([groupMetadataRecord(group)]));

  // Where the group went on, or the name was taken once more, somebody else answers this member.
  const isCurrent =
    group.state === "Stable" && group.generationId === generationId && member.memberId === memberId;
  if (!isCurrent) return;

  if (errorCode !== ErrorCode.none) {
    givePlaceBack(shard, group, member, before);
    member.answerJoin(joinFailure(errorCode, ""));
    return;
  }
  const answer = joinAnswer(group, member);
  if (joining.context.version >= skipAssignmentFrom) {
    member.answerJoin({ ...answer, skipAssignment: group.isLeader(memberId) });
  } else {
    // Older clients assign whenever they see themselves named as the leader, and a stable group would ignore it.
    member.answerJoin({ ...answer, leader: before.leaderId ?? "", members: [] });
  }
}

function givePlaceBack(shard: GroupShard, group: ClassicGroup, member: GroupMember, before: Place): void {
  group.rename(member, before.memberId);
  group.replaceProtocols(member, before.protocols);
  member.clientId = before.clientId;
  member.clientHost = before.clientHost;
  member.timeouts = before.timeouts;
  group.refreshSubscription();
  restartSession(shard, group, member);
}
