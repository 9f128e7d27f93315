import { ErrorCode } from "#protocol/error-codes.ts";
import type { JoinGroupRequest } from "#protocol/messages/join-group.ts";
import type { ClassicGroup } from "./group.ts";
import type { JoinGroupAnswer } from "./group-answers.ts";
import { GroupMember } from "./group-member.ts";
import type { GroupShard } from "./group-shard.ts";
import { copyOf, type JoinContext, type Joining, parkInstead, timeoutsOf } from "./joining.ts";
import { joinAnswer, joinFailure } from "./member-answers.ts";
import { claimedMember } from "./member-validation.ts";
import {
  completeJoinIfReady,
  removeMember,
  removePendingMember,
  restartSession,
  startRebalance,
} from "./rebalance.ts";
import { rejoinStatic } from "./static-rejoin.ts";
import { fitsRecord } from "./text-limits.ts";

/** From here on a dynamic member must come back with an id that it was given (KIP-394). */
const knownMemberIdFrom = 4;
/** What a member id adds to the name that it begins with. */
const memberSuffixBytesMax = 64;

/** Answers at once, or when the group's next generation begins. */
export function joinGroup(
  shard: GroupShard,
  request: JoinGroupRequest,
  context: JoinContext,
): Promise<JoinGroupAnswer> {
  return new Promise((resolve) => {
    const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: copyOf(metadata) }));
    join(shard, { request, context, protocols, answer: resolve });
  });
}

function join(shard: GroupShard, joining: Joining): void {
  const { request, answer } = joining;
  const { sessionTimeoutMsMin, sessionTimeoutMsMax } = shard.config;
  if (request.sessionTimeoutMs < sessionTimeoutMsMin || request.sessionTimeoutMs > sessionTimeoutMsMax) {
    answer(joinFailure(ErrorCode.invalidSessionTimeout, request.memberId));
    return;
  }

  if (!isStorable(joining)) {
    answer(joinFailure(ErrorCode.invalidRequest, request.memberId));
    return;
  }

  // Only somebody without a past may found a group; an old member of a group that is gone starts over.
  const isNewcomer = request.memberId === "";
  const existing = shard.find(request.groupId);
  if (!existing && !isNewcomer) {
    answer(joinFailure(ErrorCode.unknownMemberId, request.memberId));
    return;
  }
  const group = existing ?? shard.create(request.groupId);
  if (!group) {
    answer(joinFailure(ErrorCode.coordinatorNotAvailable, request.memberId));
    return;
  }

  if (!hasRoomFor(shard, group, request)) refuseForSize(shard, group, joining);
  else if (!group.accepts(request.protocolType, joining.protocols)) {
    answer(joinFailure(ErrorCode.inconsistentGroupProtocol, request.memberId));
  } else if (isNewcomer) joinAsNewcomer(shard, group, joining);
  else joinAgain(shard, group, joining);

  completeJoinIfReady(shard, group);
  shard.dropIfHollow(group);
}

/** Whether a record of the group could hold what this member brings, its id to come included. */
function isStorable({ request, context, protocols }: Joining): boolean {
  return (
    fitsRecord(request.groupInstanceId ?? context.clientId, memberSuffixBytesMax) &&
    fitsRecord(request.protocolType) &&
    protocols.every(({ name }) => fitsRecord(name))
  );
}

/**
 * While members rejoin, only those that already did count: the last to come are the ones who find no room,
 * also when the group had more members than a lowered limit allows.
 */
function hasRoomFor(shard: GroupShard, group: ClassicGroup, request: JoinGroupRequest): boolean {
  const { memberCountMax } = shard.config;
  const { memberId, groupInstanceId } = request;
  // A static member that comes back takes its own place.
  const member = groupInstanceId === null ? group.members.get(memberId) : group.staticMember(groupInstanceId);
  switch (group.state) {
    case "Empty":
    case "Dead":
      return true;
    case "PreparingRebalance":
      if (group.members.size < memberCountMax) return true; // Spares most groups the count.
      return member?.isAwaitingJoin || group.awaitingJoinCount < memberCountMax;
    case "CompletingRebalance":
    case "Stable":
      return member !== undefined || group.members.size < memberCountMax;
    default:
      return group.state satisfies never;
  }
}

function refuseForSize(shard: GroupShard, group: ClassicGroup, { request, answer }: Joining): void {
  if (group.pendingMembers.has(request.memberId)) removePendingMember(shard, group, request.memberId);
  const member = group.members.get(request.memberId);
  if (member) removeMember(shard, group, member);
  answer(joinFailure(ErrorCode.groupMaxSizeReached, ""));
}

function joinAsNewcomer(shard: GroupShard, group: ClassicGroup, joining: Joining): void {
  const { request, context, answer } = joining;
  const name = request.groupInstanceId ?? context.clientId;
  // Clients read the static name out of the id's prefix to know whether they lead.
  const memberId = `${name}-${shard.environment.identity.newMemberSuffix()}`;

  if (request.groupInstanceId !== null) {
    const holder = group.staticMember(request.groupInstanceId);
    if (holder) rejoinStatic(shard, group, { member: holder, memberId, joining });
    else addMember(shard, group, { memberId, joining });
  } else if (context.version >= knownMemberIdFrom) {
    promiseMembership(shard, group, { memberId, timeoutMs: request.sessionTimeoutMs });
    answer(joinFailure(ErrorCode.memberIdRequired, memberId));
  } else {
    addMember(shard, group, { memberId, joining });
  }
}

/** Remembers an id until its owner joins with it; a rebalance waits for the owner meanwhile. */
function promiseMembership(
  shard: GroupShard,
  group: ClassicGroup,
  { memberId, timeoutMs }: { memberId: string; timeoutMs: number },
): void {
  if (group.pendingMembers.size >= shard.config.pendingMemberCountMax) {
    const [oldest] = group.pendingMembers.keys();
    if (oldest !== undefined) removePendingMember(shard, group, oldest);
  }
  const forget = (): void => removePendingMember(shard, group, memberId);
  group.pendingMembers.set(memberId, shard.environment.clock.schedule(timeoutMs, forget));
}

function joinAgain(shard: GroupShard, group: ClassicGroup, joining: Joining): void {
  const { request, protocols, answer } = joining;
  const { memberId } = request;
  const cancelPending = group.pendingMembers.get(memberId);
  if (cancelPending && request.groupInstanceId === null) {
    cancelPending();
    group.pendingMembers.delete(memberId);
    addMember(shard, group, { memberId, joining });
    return;
  }

  const member = claimedMember(group, request);
  if (!(member instanceof GroupMember)) {
    answer(joinFailure(member, memberId));
    return;
  }
  switch (group.state) {
    case "PreparingRebalance":
      updateMember(shard, group, { member, joining });
      break;
    case "CompletingRebalance":
      // The same join again is a retry by somebody who missed the answer.
      if (member.offersSame(protocols)) answer(joinAnswer(group, member));
      else updateMember(shard, group, { member, joining });
      break;
    case "Stable":
      // The leader may rejoin because its topics changed, which its metadata need not show.
      if (!group.isLeader(memberId) && member.offersSame(protocols)) answer(joinAnswer(group, member));
      else updateMember(shard, group, { member, joining });
      break;
    case "Empty":
    case "Dead":
      answer(joinFailure(ErrorCode.unknownMemberId, memberId));
      break;
    default:
      group.state satisfies never;
  }
}

function addMember(
  shard: GroupShard,
  group: ClassicGroup,
  { memberId, joining }: { memberId: string; joining: Joining },
): void {
  const { request, context, protocols, answer } = joining;
  const identity = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    clientHost: context.clientHost,
  };
  const member = new GroupMember(identity, timeoutsOf(request), protocols);
  member.isNew = true;
  member.parkJoin(answer);
  group.joinedDuringDelay = true;
  group.add(member, request.protocolType);
  restartSession(shard, group, member, shard.config.newMemberJoinTimeoutMs);
  startRebalance(shard, group);
}

function updateMember(
  shard: GroupShard,
  group: ClassicGroup,
  { member, joining }: { member: GroupMember; joining: Joining },
): void {
  parkInstead(member, joining);
  member.timeouts = timeoutsOf(joining.request);
  group.replaceProtocols(member, joining.protocols);
  startRebalance(shard, group);
}
