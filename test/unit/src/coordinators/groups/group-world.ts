import { Buffer } from "node:buffer";
import { Reader } from "#protocol/bytes/reader.ts";
import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { Writer } from "#protocol/bytes/writer.ts";
import { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import { DescribeGroups } from "#protocol/messages/describe-groups.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { ConsumerProtocolSubscription } from "#protocol/messages/internal/consumer-protocol.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { ListGroups } from "#protocol/messages/list-groups.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetDelete } from "#protocol/messages/offset-delete.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { RequestInput, ResponseOf, ResponseOutput } from "#protocol/schema/api.ts";
import { encodeVersioned } from "#protocol/schema/message.ts";
import { defaultGroupConfig, type GroupConfig } from "#src/coordinators/groups/group-config.ts";
import { GroupCoordinator } from "#src/coordinators/groups/group-coordinator.ts";
import type { GroupTopic } from "#src/coordinators/groups/topic-directory.ts";
import { drain, ManualClock } from "./manual-clock.ts";
import { MemoryGroupLog } from "./memory-group-log.ts";

/** Whoever calls; the version also decides how requests and answers pass through the real codecs. */
export interface Caller {
  readonly version?: number;
  readonly clientId?: string;
  readonly clientHost?: string;
}

export type Joined = ResponseOutput<typeof JoinGroup>;
export type Synced = ResponseOutput<typeof SyncGroup>;

interface WorldOptions {
  readonly config?: Partial<GroupConfig>;
  readonly log?: MemoryGroupLog;
  readonly clock?: ManualClock;
}

/** A promise that a test can look at without waiting for it. */
export class Pending<T> {
  value: T | undefined;
  readonly settled: Promise<void>;

  constructor(promise: Promise<T>) {
    this.settled = promise.then((value) => {
      this.value = value;
    });
  }

  get isAnswered(): boolean {
    return this.value !== undefined;
  }

  /** The answer; throws when there is none yet. */
  get answer(): T {
    if (this.value === undefined) throw new Error("Cannot read the answer: still parked");
    return this.value;
  }
}

/** Codes every request and answer as a client would, so that each answer is shown to fit its version. */
export class GroupWorld {
  readonly clock: ManualClock;
  readonly log: MemoryGroupLog;
  readonly topics = new Map<string, GroupTopic>();
  readonly coordinator: GroupCoordinator;
  #memberCount = 0;

  constructor({ config, log, clock }: WorldOptions = {}) {
    this.clock = clock ?? new ManualClock();
    this.log = log ?? new MemoryGroupLog();
    this.addTopic("orders");
    this.addTopic("events");
    this.coordinator = new GroupCoordinator({
      log: this.log,
      clock: this.clock,
      identity: { newMemberSuffix: () => `uuid-${++this.#memberCount}` },
      topics: {
        find: (name) => this.topics.get(name),
        findById: (id) => [...this.topics.values()].find((topic) => topic.id === id),
      },
      config: { ...defaultGroupConfig, ...config },
    });
  }

  /** A coordinator that has taken all its partitions. */
  static async start(options?: WorldOptions): Promise<GroupWorld> {
    const world = new GroupWorld(options);
    await world.takeAll();
    return world;
  }

  /** Another coordinator over the same log and clock, as after a restart. */
  restart(config?: Partial<GroupConfig>): Promise<GroupWorld> {
    this.coordinator.close();
    return this.reread(config);
  }

  /** Another coordinator over the same log and clock, beside this one: shows what is durable. */
  reread(config?: Partial<GroupConfig>): Promise<GroupWorld> {
    const { log, clock } = this;
    return GroupWorld.start(config ? { log, clock, config } : { log, clock });
  }

  async takeAll(): Promise<void> {
    for (let partition = 0; partition < this.log.partitionCount; partition++) {
      await this.coordinator.take(partition);
    }
  }

  addTopic(name: string, partitionCount = 4): void {
    this.topics.set(name, {
      name,
      id: Buffer.from(name.padEnd(16, ".")).toString("base64url"),
      partitionCount,
    });
  }

  topicId(name: string): string {
    return this.topics.get(name)?.id ?? zeroUuid;
  }

  async join(input: Partial<RequestInput<typeof JoinGroup>>, caller: Caller = {}): Promise<Pending<Joined>> {
    const { version = 5, clientId = "app", clientHost = "/10.0.0.1" } = caller;
    const request = recode(JoinGroup.request, joinDefaults(input, version), version);
    const answer = this.coordinator.joinGroup(request, { version, clientId, clientHost });
    const pending = new Pending(answer.then((value) => recode(JoinGroup.response, value, version)));
    await drain();
    return pending;
  }

  async sync(
    input: Partial<RequestInput<typeof SyncGroup>>,
    { version = 3 }: Caller = {},
  ): Promise<Pending<Synced>> {
    const request = recode(SyncGroup.request, { groupId: "g", ...input }, version);
    const answer = this.coordinator.syncGroup(request, { version });
    const pending = new Pending(answer.then((value) => recode(SyncGroup.response, value, version)));
    await drain();
    return pending;
  }

  heartbeat(input: Partial<RequestInput<typeof Heartbeat>>, { version = 3 }: Caller = {}): number {
    const request = recode(Heartbeat.request, { groupId: "g", ...input }, version);
    return recode(Heartbeat.response, this.coordinator.heartbeat(request), version).errorCode;
  }

  async leave(
    input: Partial<RequestInput<typeof LeaveGroup>>,
    { version = 3 }: Caller = {},
  ): Promise<ResponseOutput<typeof LeaveGroup>> {
    const request = recode(LeaveGroup.request, { groupId: "g", ...input }, version);
    const answer = this.coordinator.leaveGroup(request, { version });
    await drain();
    return recode(LeaveGroup.response, answer, version);
  }

  describe(
    groupId: string,
    { version = 5 }: Caller = {},
  ): ResponseOutput<typeof DescribeGroups>["groups"][number] {
    const request = recode(DescribeGroups.request, { groups: [groupId] }, version);
    const answer = recode(
      DescribeGroups.response,
      this.coordinator.describeGroups(request, { version }),
      version,
    );
    return only(answer.groups);
  }

  list(
    input: RequestInput<typeof ListGroups> = {},
    { version = 5 }: Caller = {},
  ): ResponseOutput<typeof ListGroups> {
    const request = recode(ListGroups.request, input, version);
    return recode(ListGroups.response, this.coordinator.listGroups(request), version);
  }

  async delete(groupId: string, { version = 2 }: Caller = {}): Promise<number> {
    const request = recode(DeleteGroups.request, { groupsNames: [groupId] }, version);
    const answer = recode(DeleteGroups.response, await this.coordinator.deleteGroups(request), version);
    return only(answer.results).errorCode;
  }

  /** Commits one partition's offset; parked while the log holds it back. */
  async commit(
    input: CommitInput,
    { version = 7 }: Caller = {},
  ): Promise<Pending<ResponseOutput<typeof OffsetCommit>>> {
    const { topic = "orders", partition = 0, offset, leaderEpoch = -1, metadata = "", ...rest } = input;
    const byId = version >= 10;
    const request = recode(
      OffsetCommit.request,
      {
        groupId: "g",
        generationIdOrMemberEpoch: -1,
        ...rest,
        topics: [
          {
            ...(byId ? { topicId: this.topicId(topic) } : { name: topic }),
            partitions: [
              {
                partitionIndex: partition,
                committedOffset: offset,
                committedLeaderEpoch: leaderEpoch,
                committedMetadata: metadata,
              },
            ],
          },
        ],
      },
      version,
    );
    const answer = this.coordinator.commitOffsets(request, { version });
    const pending = new Pending(answer.then((value) => recode(OffsetCommit.response, value, version)));
    await drain();
    return pending;
  }

  /** The error that a commit of one partition ends with. */
  async commitError(input: CommitInput, caller?: Caller): Promise<number> {
    const { answer } = await this.commit(input, caller);
    return only(only(answer.topics).partitions).errorCode;
  }

  fetch(
    input: RequestInput<typeof OffsetFetch>,
    { version = 7 }: Caller = {},
  ): ResponseOutput<typeof OffsetFetch> {
    const request = recode(OffsetFetch.request, input, version);
    return recode(OffsetFetch.response, this.coordinator.fetchOffsets(request, { version }), version);
  }

  /** The committed offset of one partition, -1 for none. */
  committed(groupId = "g", topic = "orders", partition = 0): number {
    return this.committedPartition(groupId, topic, partition).committedOffset;
  }

  committedPartition(groupId = "g", topic = "orders", partition = 0): FetchedPartition {
    const answer = this.fetch({ groupId, topics: [{ name: topic, partitionIndexes: [partition] }] });
    return only(only(answer.topics).partitions);
  }

  async deleteOffsets(
    topic: string,
    partition = 0,
    groupId = "g",
  ): Promise<{ errorCode: number; partition: number | undefined }> {
    const input = { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: partition }] }] };
    const request = recode(OffsetDelete.request, input, 0);
    const answer = recode(OffsetDelete.response, await this.coordinator.deleteOffsets(request), 0);
    return { errorCode: answer.errorCode, partition: answer.topics[0]?.partitions[0]?.errorCode };
  }

  /** Joins as a member without a past and completes the handshake of its version. */
  async joinNew(
    input: Partial<RequestInput<typeof JoinGroup>> = {},
    caller: Caller = {},
  ): Promise<{ memberId: string; joined: Pending<Joined> }> {
    const first = await this.join(input, caller);
    if (first.value?.errorCode !== memberIdRequired) {
      return { memberId: first.value?.memberId ?? "", joined: first };
    }
    const { memberId } = first.answer;
    return { memberId, joined: await this.join({ ...input, memberId }, caller) };
  }

  /** Forms a stable group "g" of that many members, the leader first; each is assigned its own index as a byte. */
  async stableGroup(count: number, input: Partial<RequestInput<typeof JoinGroup>> = {}): Promise<Joined[]> {
    const joins: Pending<Joined>[] = [];
    for (let index = 0; index < count; index++) joins.push((await this.joinNew(input)).joined);
    await this.clock.advance(10_000);
    const members = joins.map((join) => join.answer).sort((a, b) => b.members.length - a.members.length);
    await this.syncAll(members);
    return members;
  }

  /** Everybody's SyncGroup, the leader's first; answers in the members' order. */
  async syncAll(members: readonly Joined[]): Promise<Synced[]> {
    const syncs: Pending<Synced>[] = [];
    for (const { memberId, generationId, leader } of members) {
      const assignments = members.map((member, index) => ({
        memberId: member.memberId,
        assignment: Buffer.from([index]),
      }));
      syncs.push(
        await this.sync({ memberId, generationId, assignments: memberId === leader ? assignments : [] }),
      );
    }
    return syncs.map((sync) => sync.answer);
  }
}

export interface CommitInput {
  readonly groupId?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
  readonly generationIdOrMemberEpoch?: number;
  readonly memberId?: string;
  readonly groupInstanceId?: string | null;
  readonly retentionTimeMs?: number;
}

type FetchedPartition = ResponseOutput<typeof OffsetFetch>["topics"][number]["partitions"][number];
export type JoinInput = RequestInput<typeof JoinGroup>;
export type JoinResponse = ResponseOf<typeof JoinGroup>;

const memberIdRequired = 79;

/** The only item of a list that should have one. */
export function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1)
    throw new Error(`Cannot take the only item: ${items.length} items`);
  return item;
}

/** A consumer's metadata for a join. */
export function subscription(...topics: string[]): Uint8Array {
  return encodeVersioned(ConsumerProtocolSubscription, { topics }, 1);
}

function joinDefaults(input: Partial<JoinInput>, version: number): JoinInput {
  return {
    groupId: "g",
    sessionTimeoutMs: 10_000,
    ...(version >= 1 ? { rebalanceTimeoutMs: 30_000 } : {}),
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: subscription("orders") }],
    ...input,
  };
}

interface Coder<Decoded, Input> {
  decode(reader: Reader, version: number): Decoded;
  encode(writer: Writer, value: Input, version: number): void;
}

/** Through the wire and back. */
function recode<Decoded, Input>(coder: Coder<Decoded, Input>, value: Input, version: number): Decoded {
  const writer = new Writer();
  coder.encode(writer, value, version);
  return coder.decode(new Reader(writer.toBytes()), version);
}
