import assert from "node:assert/strict";
import type { CancelTimer } from "../../runtime/clock.ts";
import type { GroupMember, MemberProtocol } from "./group-member.ts";
import { GroupOffsets } from "./group-offsets.ts";
import { ProtocolTally, winnerOf } from "./protocol-tally.ts";
import { subscribedTopics } from "./subscription.ts";

/** The states of Kafka's classic protocol, under the names that DescribeGroups shows. */
export type GroupState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";

const validBefore: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ["PreparingRebalance", "Dead"],
  PreparingRebalance: ["Empty", "CompletingRebalance", "Stable"],
  CompletingRebalance: ["PreparingRebalance"],
  Stable: ["CompletingRebalance"],
  Dead: ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"],
};

/** Protocol type of consumers: the only one whose member metadata the broker understands. */
export const consumerProtocolType = "consumer";

/** What a group wakes up for: the first members' delay, the members' rejoin, or the members' SyncGroup. */
export interface RebalanceTimer {
  readonly kind: "initialDelay" | "rejoin" | "sync";
  readonly cancel: CancelTimer;
}

/**
 * A classic group: who is in it, in which generation, and what it committed. It holds no policy of requests and
 * no timers of its own accord; `rebalance`, `join`, `sync` and `leave` move it.
 *
 * Invariants: `leaderId` names a member whenever there are members; every static name maps to a member;
 * `tally` counts exactly the members' protocols; pending ids are not members,
 * and those pending to sync are.
 */
export class ClassicGroup {
  readonly id: string;
  readonly offsets = new GroupOffsets();
  /** Ids handed out and not used yet, each with the timer that forgets it, oldest first. */
  readonly pendingMembers = new Map<string, CancelTimer>();
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSync = new Set<string>();
  generationId = 0;
  /** Null in a group that only ever stored offsets. */
  protocolType: string | null = null;
  protocolName: string | null = null;
  leaderId: string | null = null;
  timer: RebalanceTimer | null = null;
  /** A member joined during the initial delay, which therefore runs once more. */
  joinedDuringDelay = false;
  /** The leader's assignment of this generation is on its way to the log. */
  isStoringAssignment = false;
  /** Null = a record written before Kafka 2.1 did not say. */
  stateTimestampMs: number | null;
  readonly #members = new Map<string, GroupMember>();
  readonly #staticMembers = new Map<string, GroupMember>();
  readonly #tally = new ProtocolTally();
  #state: GroupState;
  #subscribedTopics: ReadonlySet<string> | null = null;

  constructor(id: string, state: "Empty" | "Stable", stateTimestampMs: number | null) {
    this.id = id;
    this.#state = state;
    this.stateTimestampMs = stateTimestampMs;
  }

  get state(): GroupState {
    return this.#state;
  }

  get members(): ReadonlyMap<string, GroupMember> {
    return this.#members;
  }

  /** Topics that the members subscribe to; null where the broker cannot know. */
  get subscribedTopics(): ReadonlySet<string> | null {
    return this.#subscribedTopics;
  }

  /** Nothing in it would be missed: no members, no offsets, no generation in the log. */
  get isHollow(): boolean {
    return (
      this.#state === "Empty" &&
      this.generationId === 0 &&
      this.#members.size === 0 &&
      this.pendingMembers.size === 0 &&
      this.offsets.isEmpty
    );
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  staticMember(groupInstanceId: string): GroupMember | undefined {
    return this.#staticMembers.get(groupInstanceId);
  }

  /** How long the slowest member may take to rejoin. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.#members.values())
      longest = Math.max(longest, member.timeouts.rebalanceTimeoutMs);
    return longest;
  }

  get awaitingJoinCount(): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.isAwaitingJoin) count++;
    return count;
  }

  /** Whether every member, and everyone who was promised membership, has sent JoinGroup. */
  get hasEveryoneJoined(): boolean {
    if (this.pendingMembers.size > 0) return false;
    for (const member of this.#members.values()) if (!member.isAwaitingJoin) return false;
    return true;
  }

  transition(to: GroupState, nowMs: number): void {
    assert(validBefore[to].includes(this.#state), `Cannot move group "${this.id}" to ${to}: ${this.#state}`);
    this.#state = to;
    this.stateTimestampMs = nowMs;
  }

  /** Undoes a deletion that did not reach the log. */
  revive(stateTimestampMs: number | null): void {
    assert.equal(this.#state, "Dead");
    this.#state = "Empty";
    this.stateTimestampMs = stateTimestampMs;
  }

  /** Whether a member with these protocols could take part with those that are in. */
  accepts(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#members.size === 0) return protocolType !== "" && protocols.length > 0;
    return (
      this.protocolType === protocolType &&
      protocols.some(({ name }) => this.#tally.supporters(name) === this.#members.size)
    );
  }

  add(member: GroupMember, protocolType: string): void {
    assert(!this.#members.has(member.memberId));
    if (this.#members.size === 0) this.protocolType = protocolType;
    this.leaderId ??= member.memberId;
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#staticMembers.set(member.groupInstanceId, member);
    this.#tally.add(member.protocolNames);
  }

  /** Takes a member out; the oldest one left leads when it was the leader. */
  remove(member: GroupMember): void {
    assert(this.#members.delete(member.memberId));
    if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId);
    this.pendingSync.delete(member.memberId);
    this.#tally.remove(member.protocolNames);
    if (this.isLeader(member.memberId)) this.leaderId = this.#members.keys().next().value ?? null;
  }

  /** Gives a static member another id; its roles go with it. */
  rename(member: GroupMember, memberId: string): void {
    const { memberId: oldId } = member;
    assert(member.isStatic && this.#members.delete(oldId));
    member.memberId = memberId;
    this.#members.set(memberId, member);
    if (this.pendingSync.delete(oldId)) this.pendingSync.add(memberId);
    if (this.isLeader(oldId)) this.leaderId = memberId;
  }

  replaceProtocols(member: GroupMember, protocols: readonly MemberProtocol[]): void {
    this.#tally.remove(member.protocolNames);
    member.protocols = protocols;
    this.#tally.add(member.protocolNames);
  }

  /** The protocol that all members support and most prefer. */
  electProtocol(): string | null {
    const candidates = this.#tally.supportedByAll(this.#members.size);
    const votes: string[] = [];
    for (const member of this.#members.values()) {
      const vote = member.voteFor(candidates);
      if (vote !== undefined) votes.push(vote);
    }
    return winnerOf(votes) ?? null;
  }

  /** Makes sure that the leader is there to receive the members; false when nobody waits for a JoinGroup answer. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.#members.get(this.leaderId);
    if (leader?.isAwaitingJoin) return true;
    for (const member of this.#members.values()) {
      if (!member.isAwaitingJoin) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** Begins the next generation with the members as they are. */
  beginGeneration(nowMs: number): void {
    this.generationId++;
    this.isStoringAssignment = false;
    this.protocolName = this.#members.size === 0 ? null : this.electProtocol();
    this.transition(this.#members.size === 0 ? "Empty" : "CompletingRebalance", nowMs);
    this.refreshSubscription();
  }

  /** Reads the members' subscriptions again; needed after the members or the protocol changed. */
  refreshSubscription(): void {
    if (this.protocolType !== consumerProtocolType) this.#subscribedTopics = null;
    else this.#subscribedTopics = subscribedTopics([...this.#members.values()], this.protocolName);
  }
}
