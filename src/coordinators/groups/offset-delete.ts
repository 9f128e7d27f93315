import { ErrorCode } from "#protocol/error-codes.ts";
import type { OffsetDeleteRequest } from "#protocol/messages/offset-delete.ts";
import { type ClassicGroup, consumerProtocolType } from "./group.ts";
import type { OffsetDeleteAnswer } from "./group-answers.ts";
import type { TopicPartition } from "./group-offsets.ts";
import type { GroupShard } from "./group-shard.ts";
import { removeOffsets } from "./removal.ts";

/** Deletes offsets of topics that the group does not consume now (KIP-496). */
export async function deleteOffsets(
  shard: GroupShard,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteAnswer> {
  const group = shard.find(request.groupId);
  if (!group) return { errorCode: ErrorCode.groupIdNotFound, topics: [] };
  // Only of consumers does the broker know what they consume.
  const isOpaque = group.state !== "Empty" && group.protocolType !== consumerProtocolType;
  if (isOpaque) return { errorCode: ErrorCode.nonEmptyGroup, topics: [] };

  const places: TopicPartition[] = [];
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const at = { topic: name, partition: partitionIndex };
      const errorCode = judge(shard, group, at);
      if (errorCode === ErrorCode.none && group.offsets.find(at)) places.push(at);
      return { partitionIndex, errorCode };
    }),
  }));
  const errorCode = await shard.inTime(removeOffsets(shard, group, places));
  return errorCode === ErrorCode.none ? { errorCode, topics } : { errorCode, topics: [] };
}

function judge(shard: GroupShard, group: ClassicGroup, { topic, partition }: TopicPartition): ErrorCode {
  const partitionCount = shard.environment.topics.find(topic)?.partitionCount ?? 0;
  if (partition < 0 || partition >= partitionCount) return ErrorCode.unknownTopicOrPartition;
  if (group.state === "Empty") return ErrorCode.none;
  // Without readable subscriptions any topic may be in use.
  const isSubscribed = group.subscribedTopics?.has(topic) ?? true;
  return isSubscribed ? ErrorCode.groupSubscribedToTopic : ErrorCode.none;
}
