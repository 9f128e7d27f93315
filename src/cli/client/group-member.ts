import { ErrorCode } from "#protocol/error-codes.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from "#protocol/messages/internal/consumer-protocol.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { decodeVersioned, encodeVersioned } from "#protocol/schema/message.ts";
import type { CancelTimer } from "../../runtime/clock.ts";
import { expectAccepted, RefusedError } from "./client-errors.ts";
import { type Cluster, isPassing } from "./cluster.ts";
import type { BrokerConnection } from "./connection.ts";
import { type CommittedOffset, commitOffsets, fetchCommitted } from "./group-offsets.ts";
import { type PartitionLeaders, partitionKey, type TopicPartition } from "./partition-leaders.ts";
import { assignRanges } from "./range-assignor.ts";

export interface GroupMemberOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  /** Where a partition begins that the group has no offset for. */
  readonly startOf: (partitions: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>;
}

type Joined = ResponseOutput<typeof JoinGroup>;

const heartbeatsPerSession = 15;
const rebalanceTimeoutMs = 60_000;
const protocolName = "range";
const protocolType = "consumer";

/** Answers after which the member must join again, in some cases under a new id. */
const rejoinCodes: ReadonlySet<number> = new Set([
  ErrorCode.rebalanceInProgress,
  ErrorCode.illegalGeneration,
  ErrorCode.unknownMemberId,
]);

/** A member of a classic consumer group with the range assignment. */
export class GroupMember {
  readonly #cluster: Cluster;
  readonly #leaders: PartitionLeaders;
  readonly #options: GroupMemberOptions;
  #memberId = "";
  #generationId = -1;
  #mustJoin = true;
  #cancelHeartbeat: CancelTimer | undefined;
  #failure: unknown;

  /** `leaders` must have learnt the topics. */
  constructor(cluster: Cluster, leaders: PartitionLeaders, options: GroupMemberOptions) {
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#options = options;
  }

  /** The group assigns anew: commit, then `join`. @throws what ended the heartbeats */
  get mustJoin(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#mustJoin;
  }

  /** Takes part in the next generation; answers the partitions assigned and where each goes on. */
  async join(): Promise<readonly CommittedOffset[]> {
    this.#cancelHeartbeat?.();
    for (;;) {
      const assigned = await this.#cluster.retry(() => this.#joinOnce());
      if (!assigned) continue;
      this.#mustJoin = false;
      this.#scheduleHeartbeat();
      return await this.#startOf(assigned);
    }
  }

  /** Stores offsets; a group that moved on in the meantime is joined again, and nothing is stored. */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const { groupId } = this.#options;
    const committer = { groupId, generationId: this.#generationId, memberId: this.#memberId };
    try {
      await commitOffsets(this.#cluster, committer, offsets);
    } catch (error) {
      if (!this.#takesAsRejoin(error)) throw error;
    }
  }

  /** Leaves, so that the others need not wait for this member's session to end. */
  async leave(): Promise<void> {
    this.#cancelHeartbeat?.();
    if (this.#memberId === "") return;
    const { groupId } = this.#options;
    const member = { memberId: this.#memberId, groupInstanceId: null, reason: "the command ends" };
    const connection = await this.#coordinator();
    const answer = await connection.request(LeaveGroup, { groupId, members: [member] });
    // Whoever is out already has left.
    if (!rejoinCodes.has(answer.errorCode)) expectAccepted(`leave group "${groupId}"`, answer.errorCode);
  }

  /** Undefined when the group moved on meanwhile. */
  async #joinOnce(): Promise<readonly TopicPartition[] | undefined> {
    const { groupId } = this.#options;
    const joined = await this.#requestJoin();
    if (joined.errorCode === ErrorCode.memberIdRequired) {
      this.#memberId = joined.memberId;
      return undefined;
    }
    if (joined.errorCode === ErrorCode.unknownMemberId) this.#memberId = "";
    if (rejoinCodes.has(joined.errorCode)) return undefined;
    expectAccepted(`join group "${groupId}"`, joined.errorCode);
    this.#memberId = joined.memberId;
    this.#generationId = joined.generationId;

    const connection = await this.#coordinator();
    const answer = await connection.request(
      SyncGroup,
      {
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupInstanceId: null,
        protocolType,
        protocolName,
        assignments: joined.leader === joined.memberId ? await this.#assign(joined) : [],
      },
      { waitMs: rebalanceTimeoutMs },
    );
    if (answer.errorCode === ErrorCode.unknownMemberId) this.#memberId = "";
    if (rejoinCodes.has(answer.errorCode)) return undefined;
    expectAccepted(`take part in group "${groupId}"`, answer.errorCode);
    if (answer.assignment.length === 0) return [];
    const { assignedPartitions } = decodeVersioned(ConsumerProtocolAssignment, answer.assignment);
    return assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  async #requestJoin(): Promise<Joined> {
    const { groupId, topics, sessionTimeoutMs } = this.#options;
    const metadata = encodeVersioned(
      ConsumerProtocolSubscription,
      { topics: [...topics], userData: null },
      0,
    );
    const connection = await this.#coordinator();
    return await connection.request(
      JoinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId: null,
        protocolType,
        protocols: [{ name: protocolName, metadata }],
      },
      { waitMs: rebalanceTimeoutMs },
    );
  }

  /** The leader's part: who reads what, for every member and topic. */
  async #assign({ members }: Joined): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const subscribers = members.map(({ memberId, metadata }) => ({
      memberId,
      topics: decodeVersioned(ConsumerProtocolSubscription, metadata).topics,
    }));
    await this.#leaders.learn([...new Set(subscribers.flatMap(({ topics }) => topics))]);
    const assigned = assignRanges(subscribers, (topic) => this.#leaders.partitionsOf(topic));
    return [...assigned].map(([memberId, partitions]) => {
      const assignedPartitions = [...Map.groupBy(partitions, ({ topic }) => topic)].map(
        ([topic, ofTopic]) => ({
          topic,
          partitions: ofTopic.map(({ partition }) => partition),
        }),
      );
      const assignment = encodeVersioned(
        ConsumerProtocolAssignment,
        { assignedPartitions, userData: null },
        0,
      );
      return { memberId, assignment };
    });
  }

  async #startOf(assigned: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    if (assigned.length === 0) return [];
    const committed = await fetchCommitted(this.#cluster, this.#options.groupId, assigned);
    const known = new Set(committed.map(partitionKey));
    const fresh = assigned.filter((partition) => !known.has(partitionKey(partition)));
    return fresh.length === 0 ? committed : [...committed, ...(await this.#options.startOf(fresh))];
  }

  #scheduleHeartbeat(): void {
    const intervalMs = this.#options.sessionTimeoutMs / heartbeatsPerSession;
    this.#cancelHeartbeat = this.#cluster.clock.schedule(intervalMs, () => {
      this.#heartbeat().then(
        () => {
          if (!this.#mustJoin) this.#scheduleHeartbeat();
        },
        (error: unknown) => {
          // A broken connection or a coordinator that moved: the next heartbeat finds the new one.
          if (isPassing(error)) this.#scheduleHeartbeat();
          else this.#failure = error;
        },
      );
    });
  }

  async #heartbeat(): Promise<void> {
    const { groupId } = this.#options;
    const connection = await this.#coordinator();
    const answer = await connection.request(Heartbeat, {
      groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: null,
    });
    try {
      expectAccepted(`stay in group "${groupId}"`, answer.errorCode);
    } catch (error) {
      if (!this.#takesAsRejoin(error)) throw error;
    }
  }

  #takesAsRejoin(error: unknown): boolean {
    if (!(error instanceof RefusedError) || !rejoinCodes.has(error.errorCode)) return false;
    if (error.errorCode === ErrorCode.unknownMemberId) this.#memberId = "";
    this.#mustJoin = true;
    return true;
  }

  async #coordinator(): Promise<BrokerConnection> {
    return await this.#cluster.connectionTo(await this.#cluster.coordinatorOf(this.#options.groupId));
  }
}
