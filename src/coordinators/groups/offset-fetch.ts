import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { OffsetFetchRequest } from "#protocol/messages/offset-fetch.ts";
import type { ClassicGroup } from "./group.ts";
import type { OffsetFetchAnswer } from "./group-answers.ts";
import type { CommittedOffset, TopicPartition } from "./group-offsets.ts";
import type { GroupShard } from "./group-shard.ts";

type FetchedGroup = OffsetFetchAnswer["groups"][number];
type FetchedTopic = FetchedGroup["topics"][number];
type FetchedPartition = FetchedTopic["partitions"][number];

/** A group's part of an OffsetFetch, from whichever version of the request. */
export interface GroupOffsetFetch {
  readonly groupId: string;
  /** Null = all that is committed. */
  readonly topics: OffsetFetchRequest["groups"][number]["topics"];
  readonly requireStable: boolean;
  /** Versions from 10 on name topics by id (KIP-848). */
  readonly byTopicId: boolean;
}

/** Reads committed offsets; what was never committed is an offset of -1, never an error. */
export function fetchOffsets(shard: GroupShard, fetch: GroupOffsetFetch): FetchedGroup {
  const group = shard.find(fetch.groupId);
  const topics = fetch.topics === null ? allTopics(shard, group, fetch) : namedTopics(shard, group, fetch);
  return { groupId: fetch.groupId, topics, errorCode: ErrorCode.none };
}

/** The answer where the group as a whole cannot be read. */
export function refuseFetch(groupId: string, errorCode: ErrorCode): FetchedGroup {
  return { groupId, topics: [], errorCode };
}

/** Gives every named partition the error: version 1 has no place for one of the whole group. */
export function refuseEachPartition(
  topics: OffsetFetchRequest["topics"],
  errorCode: ErrorCode,
): OffsetFetchAnswer["topics"] {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => withoutOffset(partitionIndex, errorCode)),
  }));
}

function namedTopics(
  shard: GroupShard,
  group: ClassicGroup | undefined,
  { topics, requireStable, byTopicId }: GroupOffsetFetch,
): FetchedGroup["topics"] {
  return (topics ?? []).map(({ name, topicId, partitionIndexes }) => {
    const topic = byTopicId ? shard.environment.topics.findById(topicId)?.name : name;
    const partitions = partitionIndexes.map((partition) =>
      topic === undefined
        ? withoutOffset(partition, ErrorCode.unknownTopicId)
        : readPartition(group, { topic, partition }, requireStable),
    );
    return { name, topicId, partitions };
  });
}

function allTopics(
  shard: GroupShard,
  group: ClassicGroup | undefined,
  { requireStable, byTopicId }: GroupOffsetFetch,
): FetchedGroup["topics"] {
  const fetched = new Map<string, FetchedPartition[]>();
  for (const at of group?.offsets.touched() ?? []) {
    const hasAnswer = group?.offsets.find(at) || (requireStable && group?.offsets.isUnstable(at));
    if (!hasAnswer) continue;
    const partitions = fetched.get(at.topic) ?? [];
    partitions.push(readPartition(group, at, requireStable));
    fetched.set(at.topic, partitions);
  }

  const topics: FetchedTopic[] = [];
  for (const [name, partitions] of fetched) {
    const topicId = shard.environment.topics.find(name)?.id;
    if (byTopicId && topicId === undefined) continue; // Deleted: nothing is left to name it by.
    topics.push({ name, topicId: topicId ?? zeroUuid, partitions });
  }
  return topics;
}

function readPartition(
  group: ClassicGroup | undefined,
  at: TopicPartition,
  requireStable: boolean,
): FetchedPartition {
  if (requireStable && group?.offsets.isUnstable(at)) {
    return withoutOffset(at.partition, ErrorCode.unstableOffsetCommit);
  }
  const committed = group?.offsets.find(at);
  return committed ? withOffset(at.partition, committed) : withoutOffset(at.partition, ErrorCode.none);
}

function withOffset(partitionIndex: number, committed: CommittedOffset): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: ErrorCode.none,
  };
}

function withoutOffset(partitionIndex: number, errorCode: ErrorCode): FetchedPartition {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: "", errorCode };
}
