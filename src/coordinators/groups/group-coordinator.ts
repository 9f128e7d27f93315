import assert from "node:assert/strict";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { DeleteGroupsRequest } from "#protocol/messages/delete-groups.ts";
import type { DescribeGroupsRequest } from "#protocol/messages/describe-groups.ts";
import type { HeartbeatRequest } from "#protocol/messages/heartbeat.ts";
import type { JoinGroupRequest } from "#protocol/messages/join-group.ts";
import type { LeaveGroupRequest } from "#protocol/messages/leave-group.ts";
import type { ListGroupsRequest } from "#protocol/messages/list-groups.ts";
import type { OffsetCommitRequest } from "#protocol/messages/offset-commit.ts";
import type { OffsetDeleteRequest } from "#protocol/messages/offset-delete.ts";
import type { OffsetFetchRequest } from "#protocol/messages/offset-fetch.ts";
import type { SyncGroupRequest } from "#protocol/messages/sync-group.ts";
import { deleteGroup } from "./delete-group.ts";
import { describeGroup, describeNothing } from "./describe-groups.ts";
import type { ClassicGroup } from "./group.ts";
import type {
  DeleteGroupsAnswer,
  DescribeGroupsAnswer,
  HeartbeatAnswer,
  JoinGroupAnswer,
  LeaveGroupAnswer,
  ListGroupsAnswer,
  OffsetCommitAnswer,
  OffsetDeleteAnswer,
  OffsetFetchAnswer,
  SyncGroupAnswer,
} from "./group-answers.ts";
import { loadShard } from "./group-loader.ts";
import { groupPartition } from "./group-partition.ts";
import { type GroupEnvironment, GroupShard } from "./group-shard.ts";
import { heartbeat } from "./heartbeat.ts";
import { joinGroup } from "./join.ts";
import type { JoinContext } from "./joining.ts";
import { leaveGroup } from "./leave.ts";
import { listGroups } from "./list-groups.ts";
import { joinFailure, syncFailure } from "./member-answers.ts";
import { commitOffsets, refuseCommit } from "./offset-commit.ts";
import { deleteOffsets } from "./offset-delete.ts";
import { expireOffsets } from "./offset-expiry.ts";
import { fetchOffsets, refuseEachPartition, refuseFetch } from "./offset-fetch.ts";
import { abandonGroup } from "./rebalance.ts";
import { removeOffsets } from "./removal.ts";
import { syncGroup } from "./sync.ts";
import { fitsRecord } from "./text-limits.ts";

/** What a request's version decides. */
export interface VersionContext {
  readonly version: number;
}

/** Versions in which one OffsetFetch may ask about several groups. */
const manyGroupsFrom = 8;
/** Versions in which an OffsetFetch has an error for the whole group. */
const groupErrorFrom = 2;
/** Versions of OffsetFetch that name topics by id (KIP-848). */
const topicIdsFrom = 10;
/** Versions of JoinGroup in which the elected protocol may be null. */
const nullableProtocolFrom = 7;

/**
 * The classic group coordinator of this node: memberships, generations and committed offsets of the groups whose
 * partitions of `__consumer_offsets` it has taken. Requests and answers are the wire's, without the throttle time;
 * authorization is the caller's. Every answer comes from this node's own, applied state.
 *
 * Memory is bounded by `GroupConfig`: groups per partition, members and promised ids per group; offsets by the
 * partitions that exist; parked requests by members, one each.
 */
export class GroupCoordinator {
  readonly #environment: GroupEnvironment;
  readonly #shards = new Map<number, GroupShard>();

  constructor(environment: GroupEnvironment) {
    this.#environment = environment;
  }

  /** The partition of `__consumer_offsets` that a group belongs to. */
  partitionOf(groupId: string): number {
    return groupPartition(groupId, this.#environment.log.partitionCount);
  }

  /**
   * Begins to coordinate a partition's groups; resolves once they are loaded and answered for. Until then their
   * requests are told to wait. Rejects when the log cannot be read: the partition then stays unavailable
   * until it is resigned and taken again.
   */
  async take(partition: number): Promise<void> {
    assert(!this.#shards.has(partition));
    const shard = new GroupShard(partition, this.#environment);
    this.#shards.set(partition, shard);
    try {
      await loadShard(shard);
    } catch (error) {
      if (shard.status === "loading") shard.status = "failed";
      throw error;
    }
  }

  /** Stops coordinating a partition's groups; requests that wait are told to look elsewhere. */
  resign(partition: number): void {
    const shard = this.#shards.get(partition);
    if (!shard) return;
    this.#shards.delete(partition);
    shard.status = "resigned";
    for (const group of [...shard.groups.values()]) abandonGroup(shard, group);
  }

  /** Resigns all partitions, so that no timer is left. */
  close(): void {
    for (const partition of [...this.#shards.keys()]) this.resign(partition);
  }

  /**
   * Clears doubts about who coordinates a group, before it is answered for: a process that stood still may have been
   * replaced meanwhile. `isStrict` asks the others in any case. Undefined where there is no doubt.
   */
  settle(groupIds: readonly string[], how: { isStrict: boolean }): Promise<unknown> | undefined {
    return this.#settle(new Set(groupIds.map((groupId) => this.partitionOf(groupId))), how);
  }

  /** The same for all groups. */
  settleAll(): Promise<unknown> | undefined {
    return this.#settle(this.#shards.keys(), { isStrict: false });
  }

  #settle(partitions: Iterable<number>, { isStrict }: { isStrict: boolean }): Promise<unknown> | undefined {
    const { log } = this.#environment;
    const asked: Promise<void>[] = [];
    for (const partition of partitions) {
      if (this.#shards.get(partition)?.status !== "active") continue;
      if (isStrict || !log.isCertain(partition)) asked.push(log.confirm(partition));
    }
    return asked.length > 0 ? Promise.all(asked) : undefined;
  }

  async joinGroup(request: JoinGroupRequest, context: JoinContext): Promise<JoinGroupAnswer> {
    const shard = this.#shardOfMember(request.groupId);
    const answer = isRefusal(shard)
      ? joinFailure(shard, request.memberId)
      : await joinGroup(shard, request, context);
    const mustName = context.version < nullableProtocolFrom;
    return mustName && answer.protocolName === null ? { ...answer, protocolName: "" } : answer;
  }

  async syncGroup(request: SyncGroupRequest, context: VersionContext): Promise<SyncGroupAnswer> {
    const shard = this.#shardOfMember(request.groupId);
    // Clients take a loading coordinator's own code for fatal here, and must rejoin after the load anyway.
    if (shard === ErrorCode.coordinatorLoadInProgress) return syncFailure(ErrorCode.rebalanceInProgress);
    return isRefusal(shard) ? syncFailure(shard) : syncGroup(shard, request, context);
  }

  heartbeat(request: HeartbeatRequest): HeartbeatAnswer {
    const shard = this.#shardOfMember(request.groupId);
    // As for SyncGroup; sessions start anew after the load, so nothing is lost by saying yes.
    if (shard === ErrorCode.coordinatorLoadInProgress) return { errorCode: ErrorCode.none };
    return { errorCode: isRefusal(shard) ? shard : heartbeat(shard, request) };
  }

  leaveGroup(request: LeaveGroupRequest, context: VersionContext): LeaveGroupAnswer {
    const shard = this.#shardOfMember(request.groupId);
    return isRefusal(shard) ? { errorCode: shard, members: [] } : leaveGroup(shard, request, context);
  }

  describeGroups(request: DescribeGroupsRequest, { version }: VersionContext): DescribeGroupsAnswer {
    const groups = request.groups.map((groupId) => {
      const shard = this.#shardOf(groupId);
      return isRefusal(shard) ? describeNothing(groupId, shard) : describeGroup(shard, groupId, version);
    });
    return { groups };
  }

  /** This node's groups; those of other coordinators are for them to list. */
  listGroups(request: ListGroupsRequest): ListGroupsAnswer {
    const shards = [...this.#shards.values()];
    const isLoading = shards.some((shard) => shard.status === "loading");
    return {
      errorCode: isLoading ? ErrorCode.coordinatorLoadInProgress : ErrorCode.none,
      groups: shards.flatMap((shard) => (this.#answersFor(shard) ? listGroups(shard, request) : [])),
    };
  }

  async deleteGroups(request: DeleteGroupsRequest): Promise<DeleteGroupsAnswer> {
    const deletions = request.groupsNames.map(async (groupId) => {
      const shard = this.#shardOf(groupId);
      return {
        groupId,
        errorCode: isRefusal(shard) ? shard : await shard.inTime(deleteGroup(shard, groupId)),
      };
    });
    return { results: await Promise.all(deletions) };
  }

  async commitOffsets(request: OffsetCommitRequest, context: VersionContext): Promise<OffsetCommitAnswer> {
    const shard = this.#shardOf(request.groupId);
    return isRefusal(shard) ? refuseCommit(request, shard) : commitOffsets(shard, request, context);
  }

  fetchOffsets(request: OffsetFetchRequest, { version }: VersionContext): OffsetFetchAnswer {
    const { requireStable } = request;
    const byTopicId = version >= topicIdsFrom;
    if (version >= manyGroupsFrom) {
      const groups = request.groups.map(({ groupId, topics }) => {
        const shard = this.#shardOf(groupId);
        if (isRefusal(shard)) return refuseFetch(groupId, shard);
        return fetchOffsets(shard, { groupId, topics, requireStable, byTopicId });
      });
      return { topics: [], errorCode: ErrorCode.none, groups };
    }

    const { groupId } = request;
    const shard = this.#shardOf(groupId);
    if (isRefusal(shard)) {
      if (version >= groupErrorFrom) return { topics: [], errorCode: shard, groups: [] };
      return { topics: refuseEachPartition(request.topics, shard), errorCode: ErrorCode.none, groups: [] };
    }
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: "" })) ?? null;
    const fetched = fetchOffsets(shard, { groupId, topics, requireStable, byTopicId });
    return { topics: fetched.topics, errorCode: fetched.errorCode, groups: [] };
  }

  async deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteAnswer> {
    const shard = this.#shardOfMember(request.groupId);
    return isRefusal(shard) ? { errorCode: shard, topics: [] } : deleteOffsets(shard, request);
  }

  /** The groups that this node answers for. */
  *groups(): Generator<ClassicGroup> {
    for (const shard of this.#shards.values()) if (shard.status === "active") yield* shard.groups.values();
  }

  /** Forgets what is past its retention; to be called every offsets.retention.check.interval.ms. */
  async expireOffsets(): Promise<void> {
    await this.#forEachActive(expireOffsets);
  }

  /** Drops all groups' offsets of topics that were deleted, so that a later topic of that name starts clean. */
  async forgetTopics(names: readonly string[]): Promise<void> {
    await this.#forEachActive(async (shard) => {
      for (const group of [...shard.groups.values()]) {
        const places = names.flatMap((name) => [...group.offsets.touched(name)]);
        if (group.state !== "Dead") await removeOffsets(shard, group, places);
      }
    });
  }

  async #forEachActive(work: (shard: GroupShard) => Promise<void>): Promise<void> {
    const active = [...this.#shards.values()].filter((shard) => shard.status === "active");
    await Promise.all(active.map(work));
  }

  /** What another node may have taken over is not answered for. */
  #answersFor(shard: GroupShard): boolean {
    return shard.status === "active" && this.#environment.log.isCertain(shard.partition);
  }

  /** Membership needs a name; offsets may be stored under the empty one, as consumers of old did. */
  #shardOfMember(groupId: string): GroupShard | ErrorCode {
    return groupId === "" ? ErrorCode.invalidGroupId : this.#shardOf(groupId);
  }

  /** Where the group lives, or why nobody here can answer for it. */
  #shardOf(groupId: string): GroupShard | ErrorCode {
    if (!fitsRecord(groupId)) return ErrorCode.invalidGroupId;
    const shard = this.#shards.get(this.partitionOf(groupId));
    if (!shard) return ErrorCode.notCoordinator;
    switch (shard.status) {
      case "resigned":
        return ErrorCode.notCoordinator;
      case "loading":
        return ErrorCode.coordinatorLoadInProgress;
      case "failed":
        return ErrorCode.coordinatorNotAvailable;
      case "active":
        return this.#answersFor(shard) ? shard : ErrorCode.notCoordinator;
      default:
        return shard.status satisfies never;
    }
  }
}

function isRefusal(shard: GroupShard | ErrorCode): shard is ErrorCode {
  return !(shard instanceof GroupShard);
}
