import { ErrorCode } from "#protocol/error-codes.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from "#protocol/messages/internal/consumer-protocol.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { decodeVersioned, encodeVersioned } from "#protocol/schema/message.ts";
import { assignRanges } from "#src/cli/client/range-assignor.ts";
import type { Step } from "../history/operation.ts";
import { expectNone, Refused, Unanswered } from "./client-connection.ts";
import { type ClusterClient, isPassing, type TopicPartition } from "./cluster-client.ts";
import { earliest, type FetchBounds, Fetcher } from "./fetcher.ts";
import type { Reading } from "./reader.ts";
import type { Trims } from "./trims.ts";

export interface GroupMemberPlan {
  readonly kind: "member";
  readonly name: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly commitEveryMs: number;
  readonly bounds: FetchBounds;
  /** When it joins, and when it leaves for good; Infinity for never. */
  readonly joinsAtMs: number;
  readonly leavesAtMs: number;
}

const rebalanceTimeoutMs = 8_000;
const protocolType = "consumer";
const protocolName = "range";

/** Answers after which a member joins again, in some cases under a new id. */
const rejoinCodes: ReadonlySet<number> = new Set([
  ErrorCode.rebalanceInProgress,
  ErrorCode.illegalGeneration,
  ErrorCode.unknownMemberId,
]);

/** The name under which a group's offset stands in the history. */
export function offsetRegister(groupId: string, { topic, partition }: TopicPartition): string {
  return `offset/${groupId}/${topic}-${partition}`;
}

/** A member of a classic group: joins, reads what it is assigned, commits, until it leaves or is stopped. */
export class SimulatedGroupMember {
  readonly #client: ClusterClient;
  readonly #plan: GroupMemberPlan;
  readonly #fetcher: Fetcher;
  #memberId = "";
  #generationId = -1;
  #mustJoin = true;
  #heartbeatDueMs = 0;
  #commitDueMs = 0;
  #mustLeave = false;
  #isDone = false;

  constructor(client: ClusterClient, plan: GroupMemberPlan, trims: Trims) {
    this.#client = client;
    this.#plan = plan;
    this.#fetcher = new Fetcher(client, { process: plan.name, bounds: plan.bounds, trims });
  }

  get isIdle(): boolean {
    return this.#isDone;
  }

  /** What its group reads, as long as it is a member; undefined for one that has left. */
  get reading(): Reading | undefined {
    if (this.#mustLeave) return undefined;
    const keys = this.#plan.topics.flatMap((topic) =>
      Array.from({ length: this.#client.partitionCount(topic) }, (_, partition) => `${topic}-${partition}`),
    );
    return { of: this.#plan.groupId, keys, fetcher: this.#fetcher };
  }

  start(): void {
    const { clock } = this.#client.options;
    const { joinsAtMs, leavesAtMs } = this.#plan;
    if (Number.isFinite(leavesAtMs)) {
      clock.schedule(leavesAtMs, () => {
        this.#mustLeave = true;
      });
    }
    clock.schedule(joinsAtMs, () => {
      this.#work().catch((error: unknown) => {
        this.#client.violate("clientFailed", error instanceof Error ? (error.stack ?? "") : String(error));
      });
    });
  }

  stop(): void {
    this.#mustLeave = true;
  }

  async #work(): Promise<void> {
    const isOver = () => this.#mustLeave;
    while (!isOver()) {
      await this.#client.persist(async () => {
        try {
          if (this.#mustJoin) await this.#join();
          else await this.#live();
        } catch (error) {
          if (!this.#takesAsRejoin(error)) throw error;
        }
      }, isOver);
    }
    await this.#leave();
    this.#isDone = true;
  }

  /** One round of a member's life: heartbeat, poll, commit, each when it is due. */
  async #live(): Promise<void> {
    const { clock } = this.#client.options;
    if (clock.monotonicMs() >= this.#heartbeatDueMs) await this.#heartbeat();
    if (this.#mustJoin) return;
    if (this.#fetcher.places.length === 0) await clock.sleep(200);
    else if ((await this.#fetcher.poll()) === 0) await this.#client.rest();
    if (clock.monotonicMs() >= this.#commitDueMs) await this.#commit();
  }

  async #join(): Promise<void> {
    const { groupId, sessionTimeoutMs, topics } = this.#plan;
    const metadata = encodeVersioned(
      ConsumerProtocolSubscription,
      { topics: [...topics], userData: null },
      0,
    );
    const joined = await this.#ask(
      JoinGroup,
      { min: 1, waitMs: rebalanceTimeoutMs },
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        protocolType,
        protocols: [{ name: protocolName, metadata }],
      },
    );
    if (joined.errorCode === ErrorCode.memberIdRequired) {
      this.#memberId = joined.memberId;
      return;
    }
    expectNone(joined.errorCode);
    this.#memberId = joined.memberId;
    this.#generationId = joined.generationId;
    const isLeader = joined.leader === joined.memberId;
    const synced = await this.#ask(
      SyncGroup,
      { waitMs: rebalanceTimeoutMs },
      {
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        protocolType,
        protocolName,
        assignments: isLeader ? await this.#assign(joined) : [],
      },
    );
    expectNone(synced.errorCode);
    this.#client.options.marks.reach("group rebalanced");
    await this.#begin(synced.assignment);
  }

  /** The group leader's part: who reads what. */
  async #assign({
    members,
  }: ResponseOutput<typeof JoinGroup>): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const subscribers = members.map(({ memberId, metadata }) => ({
      memberId,
      topics: decodeVersioned(ConsumerProtocolSubscription, metadata).topics,
    }));
    await this.#client.learn([...new Set(subscribers.flatMap(({ topics }) => topics))]);
    const assigned = assignRanges(subscribers, (topic) =>
      Array.from({ length: this.#client.partitionCount(topic) }, (_, partition) => partition),
    );
    return [...assigned].map(([memberId, partitions]) => {
      const assignedPartitions = [...Map.groupBy(partitions, ({ topic }) => topic)].map(
        ([topic, ofTopic]) => {
          return { topic, partitions: ofTopic.map(({ partition }) => partition) };
        },
      );
      const assignment = encodeVersioned(
        ConsumerProtocolAssignment,
        { assignedPartitions, userData: null },
        0,
      );
      return { memberId, assignment };
    });
  }

  /** Goes on where the group left off, or at the start of what it has no offset for. */
  async #begin(assignment: Uint8Array): Promise<void> {
    const { clock } = this.#client.options;
    const places =
      assignment.length === 0
        ? []
        : decodeVersioned(ConsumerProtocolAssignment, assignment).assignedPartitions.flatMap(
            ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
          );
    const committed = await this.#committed(places);
    const starts = [];
    for (const place of places) {
      const position = committed.get(offsetRegister(this.#plan.groupId, place));
      starts.push({ ...place, position: position ?? (await this.#fetcher.offsetOf(place, earliest)) });
    }
    this.#fetcher.assign(starts, "subscribe");
    this.#mustJoin = false;
    this.#heartbeatDueMs = clock.monotonicMs();
    this.#commitDueMs = clock.monotonicMs() + this.#plan.commitEveryMs;
  }

  async #committed(places: readonly TopicPartition[]): Promise<Map<string, number>> {
    const offsets = new Map<string, number>();
    if (places.length === 0) return offsets;
    const { recorder, name } = this.#client.options;
    const { groupId } = this.#plan;
    const invocation = recorder.invoke(name, []);
    const answer = await this.#ask(
      OffsetFetch,
      { max: 7 },
      {
        groupId,
        topics: byTopic(places).map(([topic, ofTopic]) => {
          return { name: topic, partitionIndexes: ofTopic.map(({ partition }) => partition) };
        }),
      },
    );
    expectNone(answer.errorCode);
    const steps: Step[] = [];
    for (const { name: topic, partitions } of answer.topics) {
      for (const { partitionIndex, committedOffset, errorCode } of partitions) {
        expectNone(errorCode);
        const register = offsetRegister(groupId, { topic, partition: partitionIndex });
        const value = committedOffset < 0 ? undefined : committedOffset;
        steps.push({ kind: "read", register, value });
        if (value !== undefined) offsets.set(register, value);
      }
    }
    invocation.complete("ok", steps);
    return offsets;
  }

  async #heartbeat(): Promise<void> {
    const { clock } = this.#client.options;
    const answer = await this.#ask(
      Heartbeat,
      {},
      {
        groupId: this.#plan.groupId,
        generationId: this.#generationId,
        memberId: this.#memberId,
      },
    );
    this.#heartbeatDueMs = clock.monotonicMs() + this.#plan.sessionTimeoutMs / 4;
    expectNone(answer.errorCode);
  }

  async #commit(): Promise<void> {
    const { clock, recorder, name } = this.#client.options;
    const { groupId } = this.#plan;
    this.#commitDueMs = clock.monotonicMs() + this.#plan.commitEveryMs;
    const places = this.#fetcher.places.map(({ topic, partition, position }) => ({
      topic,
      partition,
      position,
    }));
    if (places.length === 0) return;
    const steps = places.map((place): Step => {
      return { kind: "write", register: offsetRegister(groupId, place), value: place.position };
    });
    const invocation = recorder.invoke(name, steps);
    const answer = await this.#ask(
      OffsetCommit,
      { max: 9 },
      {
        groupId,
        generationIdOrMemberEpoch: this.#generationId,
        memberId: this.#memberId,
        topics: byTopic(places).map(([topic, ofTopic]) => ({
          name: topic,
          partitions: ofTopic.map(({ partition, position }) => {
            return { partitionIndex: partition, committedOffset: position, committedMetadata: "" };
          }),
        })),
      },
    );
    const codes = answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    const failed = codes.find((errorCode) => errorCode !== ErrorCode.none);
    // A fenced commit never took effect; any other failure may have come after the record was appended.
    if (failed === undefined) {
      invocation.complete("ok", steps);
      this.#client.acknowledged(steps);
    } else if (rejoinCodes.has(failed)) invocation.complete("failed", steps);
    if (failed !== undefined) throw new Refused(failed);
  }

  async #leave(): Promise<void> {
    if (this.#memberId === "") return;
    try {
      await this.#ask(
        LeaveGroup,
        { min: 3 },
        {
          groupId: this.#plan.groupId,
          members: [{ memberId: this.#memberId, groupInstanceId: null }],
        },
      );
    } catch (error) {
      if (!isPassing(error)) throw error;
      // The session will end by itself.
      this.#client.noteFailure(error);
    }
  }

  #takesAsRejoin(error: unknown): boolean {
    if (!(error instanceof Refused) || !rejoinCodes.has(error.errorCode)) {
      // Whoever lost the coordinator asks it again; a member that it forgot joins anew.
      if (error instanceof Unanswered) this.#client.forgetLeaders();
      return false;
    }
    this.#client.options.marks.reach("member fenced");
    if (error.errorCode === ErrorCode.unknownMemberId) this.#memberId = "";
    this.#mustJoin = true;
    return true;
  }

  async #ask<A extends Parameters<ClusterClient["ask"]>[0]>(
    api: A,
    { waitMs = 0, ...bounds }: { readonly min?: number; readonly max?: number; readonly waitMs?: number },
    request: Parameters<ClusterClient["ask"]>[1] & Parameters<A["request"]["encode"]>[1],
  ): Promise<ResponseOutput<A>> {
    const connection = await this.#client.coordinatorOf(this.#plan.groupId);
    const version = this.#client.versionOf(api, bounds);
    return await connection.request(api, { version, timeoutMs: 4_000 + waitMs }, request);
  }
}

function byTopic<T extends TopicPartition>(places: readonly T[]): [topic: string, places: T[]][] {
  return [...Map.groupBy(places, ({ topic }) => topic)];
}
