import { ErrorCode } from "#protocol/error-codes.ts";
import type { SyncGroupRequest } from "#protocol/messages/sync-group.ts";
import type { ClassicGroup } from "./group.ts";
import type { SyncGroupAnswer } from "./group-answers.ts";
import { GroupMember } from "./group-member.ts";
import { groupMetadataRecord } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";
import { copyOf } from "./joining.ts";
import { syncAnswer, syncFailure } from "./member-answers.ts";
import { claimedMember } from "./member-validation.ts";
import { failParkedSyncs, noteSync, restartSession, startRebalance } from "./rebalance.ts";

/** From here on a member must say which protocol it believes in (KIP-559). */
const protocolRequiredFrom = 5;

/** Answers with the member's assignment, which exists once the leader's SyncGroup is in the log. */
export async function syncGroup(
  shard: GroupShard,
  request: SyncGroupRequest,
  { version }: { version: number },
): Promise<SyncGroupAnswer> {
  const group = shard.find(request.groupId);
  if (!group) return syncFailure(ErrorCode.unknownMemberId);

  const member = validate(group, request, version);
  if (!(member instanceof GroupMember)) return syncFailure(member);

  switch (group.state) {
    case "PreparingRebalance":
      return syncFailure(ErrorCode.rebalanceInProgress);
    case "CompletingRebalance":
      return new Promise((resolve) => {
        // A retry takes the place of a request whose connection is gone.
        member.answerSync(syncFailure(ErrorCode.rebalanceInProgress));
        member.parkSync(resolve);
        noteSync(group, member.memberId);
        if (group.isLeader(member.memberId)) void storeAssignment(shard, group, request);
      });
    case "Stable":
      noteSync(group, member.memberId);
      restartSession(shard, group, member);
      return syncAnswer(group, member);
    case "Empty":
    case "Dead":
      return syncFailure(ErrorCode.unknownMemberId);
    default:
      return group.state satisfies never;
  }
}

function validate(group: ClassicGroup, request: SyncGroupRequest, version: number): GroupMember | ErrorCode {
  const { protocolType, protocolName } = request;
  const mustName = version >= protocolRequiredFrom;
  if (mustName && (protocolType === null || protocolName === null))
    return ErrorCode.inconsistentGroupProtocol;

  const member = claimedMember(group, request);
  if (!(member instanceof GroupMember)) return member;
  if (request.generationId !== group.generationId) return ErrorCode.illegalGeneration;
  if (protocolType !== null && protocolType !== group.protocolType)
    return ErrorCode.inconsistentGroupProtocol;
  if (protocolName !== null && protocolName !== group.protocolName)
    return ErrorCode.inconsistentGroupProtocol;
  return member;
}

/** Makes the leader's assignment durable, then effective: no member may own what a crash would forget. */
async function storeAssignment(
  shard: GroupShard,
  group: ClassicGroup,
  request: SyncGroupRequest,
): Promise<void> {
  // A leader that retries waits for its first assignment: log and memory must not end up with different ones.
  if (group.isStoringAssignment) return;
  group.isStoringAssignment = true;
  const { generationId } = group;
  const assignments = new Map<string, Uint8Array>();
  for (const { memberId, assignment } of request.assignments) assignments.set(memberId, copyOf(assignment));

  // One that is stored too late is of a generation that nobody was told of: the next one is stored behind it.
  const errorCode = await shard.inTime(shard.append([groupMetadataRecord(group, assignments)]));

  // Members may have come or gone meanwhile; then the rebalance that they started has answered everybody.
  if (group.state !== "CompletingRebalance" || group.generationId !== generationId) return;
  group.isStoringAssignment = false;
  if (errorCode !== ErrorCode.none) {
    failParkedSyncs(shard, group, errorCode);
    startRebalance(shard, group);
    return;
  }
  for (const member of group.members.values())
    member.assignment = assignments.get(member.memberId) ?? new Uint8Array(0);
  group.transition("Stable", shard.nowMs());
  for (const member of group.members.values()) {
    if (member.answerSync(syncAnswer(group, member))) restartSession(shard, group, member);
  }
}
