import { ErrorCode } from "#protocol/error-codes.ts";
import type { OffsetCommitRequest } from "#protocol/messages/offset-commit.ts";
import type { ClassicGroup } from "./group.ts";
import type { OffsetCommitAnswer } from "./group-answers.ts";
import { GroupMember } from "./group-member.ts";
import type { OffsetEntry } from "./group-offsets.ts";
import { offsetCommitRecord } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";
import { claimedMember } from "./member-validation.ts";
import { restartSession } from "./rebalance.ts";
import { fitsRecord } from "./text-limits.ts";
import type { GroupTopic } from "./topic-directory.ts";

type CommitTopic = OffsetCommitRequest["topics"][number];
type CommitPartition = CommitTopic["partitions"][number];

/** From here on a group that does not exist is named as such. */
const groupIdNotFoundFrom = 9;
/** From here on topics are known by id alone (KIP-848). */
const topicIdsFrom = 10;

/** Stores offsets; answers once they are durable, and shows them to OffsetFetch only then. */
export async function commitOffsets(
  shard: GroupShard,
  request: OffsetCommitRequest,
  { version }: { version: number },
): Promise<OffsetCommitAnswer> {
  const group = committingGroup(shard, request, version);
  if (typeof group === "number") return refuseKnown(shard, request, version, group);
  const refused = validate(shard, group, request);
  if (refused !== ErrorCode.none) return refuseKnown(shard, request, version, refused);

  const { outcomes, entries } = sort(shard, request, version);
  const stored = store(shard, group, entries).finally(() => shard.dropIfHollow(group));
  const errorCode = await shard.inTime(stored);
  return { topics: errorCode === ErrorCode.none ? outcomes : settled(outcomes, errorCode) };
}

/** Gives every partition of the request the same error. */
export function refuseCommit(request: OffsetCommitRequest, errorCode: ErrorCode): OffsetCommitAnswer {
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

/** Gives what the group is to blame for its error; a topic that is not there is told so whatever the group says. */
function refuseKnown(
  shard: GroupShard,
  request: OffsetCommitRequest,
  version: number,
  errorCode: ErrorCode,
): OffsetCommitAnswer {
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const code = findTopic(shard, { name, topicId }, version) ? errorCode : missingTopic(version);
    return {
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    };
  });
  return { topics };
}

function findTopic(
  shard: GroupShard,
  { name, topicId }: { readonly name: string; readonly topicId: string },
  version: number,
): GroupTopic | undefined {
  const { topics } = shard.environment;
  return version >= topicIdsFrom ? topics.findById(topicId) : topics.find(name);
}

function missingTopic(version: number): ErrorCode {
  return version >= topicIdsFrom ? ErrorCode.unknownTopicId : ErrorCode.unknownTopicOrPartition;
}

async function store(
  shard: GroupShard,
  group: ClassicGroup,
  entries: readonly OffsetEntry[],
): Promise<ErrorCode> {
  if (entries.length === 0) return ErrorCode.none;
  const pending = group.offsets.begin(entries);
  const records = entries.map((entry) => offsetCommitRecord(group.id, entry));
  const errorCode = await shard.append(records, ErrorCode.invalidCommitOffsetSize);
  if (errorCode === ErrorCode.none) pending.complete();
  else pending.abandon();
  return errorCode;
}

/** The group of the request; one that only stores offsets is made by its first commit. */
function committingGroup(
  shard: GroupShard,
  { groupId, generationIdOrMemberEpoch }: OffsetCommitRequest,
  version: number,
): ClassicGroup | ErrorCode {
  const group = shard.find(groupId);
  if (group) return group;
  if (generationIdOrMemberEpoch < 0) return shard.create(groupId) ?? ErrorCode.coordinatorNotAvailable;
  return version >= groupIdNotFoundFrom ? ErrorCode.groupIdNotFound : ErrorCode.illegalGeneration;
}

function validate(shard: GroupShard, group: ClassicGroup, request: OffsetCommitRequest): ErrorCode {
  const { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId } = request;
  // Without members, anybody may set offsets: tools do, and consumers that assign partitions themselves.
  if (generationId < 0 && group.state === "Empty") return ErrorCode.none;
  if (generationId < 0 && memberId === "" && groupInstanceId === null) return ErrorCode.unknownMemberId;

  const member = claimedMember(group, { memberId, groupInstanceId });
  if (!(member instanceof GroupMember)) return member;
  if (generationId !== group.generationId) return ErrorCode.illegalGeneration;
  // The member knows the new generation but not yet its partitions: what it commits belongs to the last one.
  if (group.state === "CompletingRebalance") return ErrorCode.rebalanceInProgress;

  restartSession(shard, group, member);
  return ErrorCode.none;
}

type Outcomes = OffsetCommitAnswer["topics"];

/** Splits the request into what can be stored and what each refused partition is told. */
function sort(
  shard: GroupShard,
  request: OffsetCommitRequest,
  version: number,
): { outcomes: Outcomes; entries: OffsetEntry[] } {
  const commitTimestampMs = shard.nowMs();
  const { retentionTimeMs } = request;
  const expireTimestampMs = retentionTimeMs < 0 ? null : commitTimestampMs + retentionTimeMs;
  const entries: OffsetEntry[] = [];

  const outcomes = request.topics.map(({ name, topicId, partitions }) => {
    const topic = findTopic(shard, { name, topicId }, version);
    return {
      name,
      topicId,
      partitions: partitions.map((partition) => {
        const errorCode = topic ? judge(shard, topic, partition) : missingTopic(version);
        if (topic && errorCode === ErrorCode.none) {
          entries.push(toEntry(topic.name, partition, { commitTimestampMs, expireTimestampMs }));
        }
        return { partitionIndex: partition.partitionIndex, errorCode };
      }),
    };
  });
  return { outcomes, entries };
}

function judge(shard: GroupShard, topic: GroupTopic, partition: CommitPartition): ErrorCode {
  const { partitionIndex, committedMetadata } = partition;
  if (partitionIndex < 0 || partitionIndex >= topic.partitionCount) return ErrorCode.unknownTopicOrPartition;
  const metadata = committedMetadata ?? "";
  const isTooLarge = metadata.length > shard.config.offsetMetadataBytesMax || !fitsRecord(metadata);
  return isTooLarge ? ErrorCode.offsetMetadataTooLarge : ErrorCode.none;
}

function toEntry(
  topic: string,
  partition: CommitPartition,
  times: { commitTimestampMs: number; expireTimestampMs: number | null },
): OffsetEntry {
  return {
    topic,
    partition: partition.partitionIndex,
    committed: {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? "",
      ...times,
    },
  };
}

/** Tells the partitions that were to be stored how that ended. */
function settled(outcomes: Outcomes, errorCode: ErrorCode): Outcomes {
  return outcomes.map(({ partitions, ...topic }) => ({
    ...topic,
    partitions: partitions.map((partition) =>
      partition.errorCode === ErrorCode.none ? { ...partition, errorCode } : partition,
    ),
  }));
}
