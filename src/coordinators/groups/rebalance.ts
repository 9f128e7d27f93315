import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup, RebalanceTimer } from "./group.ts";
import type { GroupMember } from "./group-member.ts";
import { groupMetadataRecord } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";
import { joinAnswer, joinFailure, syncFailure } from "./member-answers.ts";

/*
 * How a group moves from one generation to the next:
 *
 *   Empty ──first join──▶ PreparingRebalance ──all joined, or time up──▶ CompletingRebalance ──leader's sync──▶ Stable
 *     ▲                      │         ▲                                        │                              │
 *     └────nobody is left────┘         └───────a member joins, leaves or times out──────────────────────────┘
 */

/** Keeps a rebalance timeout of nearly nothing from spinning while only absent static members are left. */
const absentLeaderWaitMsMin = 1_000;

/** Starts a rebalance unless one is being prepared already. */
export function startRebalance(shard: GroupShard, group: ClassicGroup): void {
  if (group.state === "PreparingRebalance" || group.state === "Dead") return;

  const isFirst = group.state === "Empty";
  if (group.state === "CompletingRebalance") failParkedSyncs(shard, group, ErrorCode.rebalanceInProgress);
  clearTimer(group);
  group.transition("PreparingRebalance", shard.nowMs());

  if (isFirst) startInitialDelay(shard, group);
  else waitForRejoin(shard, group);
}

/** Ends the wait for the members' JoinGroup when all of them are there. */
export function completeJoinIfReady(shard: GroupShard, group: ClassicGroup): void {
  if (group.state === "PreparingRebalance" && group.timer?.kind === "rejoin" && group.hasEveryoneJoined) {
    completeJoin(shard, group);
  }
}

/** Takes a member out for good and lets the others rebalance; its parked requests learn that it is unknown. */
export function removeMember(shard: GroupShard, group: ClassicGroup, member: GroupMember): void {
  dropMember(group, member);
  if (group.state === "PreparingRebalance") completeJoinIfReady(shard, group);
  else startRebalance(shard, group);
}

/** Forgets an id that was handed out and not used. */
export function removePendingMember(shard: GroupShard, group: ClassicGroup, memberId: string): void {
  group.pendingMembers.get(memberId)?.();
  group.pendingMembers.delete(memberId);
  completeJoinIfReady(shard, group);
  shard.dropIfHollow(group);
}

/** Gives the member its full session timeout from now, or `timeoutMs` where its session has not begun. */
export function restartSession(
  shard: GroupShard,
  group: ClassicGroup,
  member: GroupMember,
  timeoutMs: number = member.timeouts.sessionTimeoutMs,
): void {
  member.cancelSession?.();
  member.cancelSession = shard.environment.clock.schedule(timeoutMs, () => {
    member.cancelSession = null;
    // A member whose request is parked here is not expected to heartbeat; its session restarts with the answer.
    // A new one is the exception: its client may be gone and would come back as somebody else.
    if (!member.isNew && (member.isAwaitingJoin || member.isAwaitingSync)) return;
    removeMember(shard, group, member);
  });
}

/** A member has sent its SyncGroup; the last one ends the wait for them. */
export function noteSync(group: ClassicGroup, memberId: string): void {
  group.pendingSync.delete(memberId);
  if (group.pendingSync.size === 0 && group.timer?.kind === "sync") clearTimer(group);
}

/** Answers every parked SyncGroup with the error and takes the assignments back. */
export function failParkedSyncs(shard: GroupShard, group: ClassicGroup, errorCode: ErrorCode): void {
  for (const member of group.members.values()) {
    member.assignment = new Uint8Array(0);
    if (member.answerSync(syncFailure(errorCode))) restartSession(shard, group, member);
  }
}

/** Ends a group because this node no longer coordinates it: whoever waits must look for the coordinator again. */
export function abandonGroup(shard: GroupShard, group: ClassicGroup): void {
  for (const member of group.members.values()) {
    endSession(member);
    member.answerJoin(joinFailure(ErrorCode.notCoordinator, member.memberId));
    member.answerSync(syncFailure(ErrorCode.notCoordinator));
  }
  shard.bury(group);
}

/** The first members of an empty group wait for company, so that a starting application rebalances once. */
function startInitialDelay(shard: GroupShard, group: ClassicGroup): void {
  const { initialRebalanceDelayMs } = shard.config;
  let remainingMs = Math.max(group.rebalanceTimeoutMs - initialRebalanceDelayMs, 0);
  group.joinedDuringDelay = false;

  const onDelayOver = (): void => {
    if (!group.joinedDuringDelay) {
      completeJoin(shard, group);
      return;
    }
    group.joinedDuringDelay = false;
    const delayMs = Math.min(initialRebalanceDelayMs, remainingMs);
    remainingMs -= delayMs;
    setTimer(shard, group, { kind: "initialDelay", delayMs, onTime: onDelayOver });
  };
  setTimer(shard, group, { kind: "initialDelay", delayMs: initialRebalanceDelayMs, onTime: onDelayOver });
}

function waitForRejoin(shard: GroupShard, group: ClassicGroup, delayMsMin = 0): void {
  const onTime = (): void => completeJoin(shard, group);
  const delayMs = Math.max(group.rebalanceTimeoutMs, delayMsMin);
  setTimer(shard, group, { kind: "rejoin", delayMs, onTime });
  completeJoinIfReady(shard, group);
}

/** Begins the next generation with those who joined. */
function completeJoin(shard: GroupShard, group: ClassicGroup): void {
  clearTimer(group);
  // A static member that is away keeps its place until its session ends (KIP-345).
  for (const member of [...group.members.values()]) {
    if (!member.isAwaitingJoin && !member.isStatic) dropMember(group, member);
  }
  if (group.members.size > 0 && !group.electJoinedLeader()) {
    // Only absent static members are left: wait for one of them, or for the end of their sessions.
    waitForRejoin(shard, group, absentLeaderWaitMsMin);
    return;
  }

  group.beginGeneration(shard.nowMs());
  if (group.state === "Empty") storeEmptyGroup(shard, group);
  else answerJoins(shard, group);
}

function answerJoins(shard: GroupShard, group: ClassicGroup): void {
  for (const member of group.members.values()) {
    member.answerJoin(joinAnswer(group, member));
    member.isNew = false;
    group.pendingSync.add(member.memberId);
    restartSession(shard, group, member);
  }
  const onTime = (): void => dropUnsynced(shard, group);
  setTimer(shard, group, { kind: "sync", delayMs: group.rebalanceTimeoutMs, onTime });
}

/** Members that took the new generation and never came for their assignment would hold partitions for nothing. */
function dropUnsynced(shard: GroupShard, group: ClassicGroup): void {
  clearTimer(group);
  for (const memberId of [...group.pendingSync]) {
    const member = group.members.get(memberId);
    if (member) dropMember(group, member);
  }
  startRebalance(shard, group);
}

/** Tells the log that nobody is left; its retention of offsets counts from here. */
function storeEmptyGroup(shard: GroupShard, group: ClassicGroup): void {
  // The outcome changes nothing here: without the record the loaded group has members, whose sessions then end.
  void shard.append([groupMetadataRecord(group)]);
}

function dropMember(group: ClassicGroup, member: GroupMember): void {
  endSession(member);
  group.remove(member);
  member.answerJoin(joinFailure(ErrorCode.unknownMemberId, ""));
  member.answerSync(syncFailure(ErrorCode.unknownMemberId));
}

function endSession(member: GroupMember): void {
  member.cancelSession?.();
  member.cancelSession = null;
}

interface TimerOptions {
  readonly kind: RebalanceTimer["kind"];
  readonly delayMs: number;
  readonly onTime: () => void;
}

/** A group has one timer, for what it waits for now. */
function setTimer(shard: GroupShard, group: ClassicGroup, { kind, delayMs, onTime }: TimerOptions): void {
  clearTimer(group);
  group.timer = { kind, cancel: shard.environment.clock.schedule(delayMs, onTime) };
}

function clearTimer(group: ClassicGroup): void {
  group.timer?.cancel();
  group.timer = null;
}
