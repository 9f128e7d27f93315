import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from "#protocol/messages/describe-topic-partitions.ts";
import type { TopicImage } from "../cluster/metadata/metadata-image.ts";
import { isValidTopicName } from "../cluster/metadata/topic-name.ts";
import { topicOperations } from "./authorized-operations.ts";
import { placeOf } from "./partition-place.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = DescribeTopicPartitionsRequest;
type Response = DescribeTopicPartitionsResponse;
type TopicAnswer = NonNullable<Response["topics"]>[number];

/** Describes topics page by page, in the order of their names (KIP-966). */
export function describeTopicPartitions(broker: ServedBroker, request: Request): Response {
  const { cursor } = request;
  const limit = Math.min(request.responsePartitionLimit, broker.config.describePartitionsMax);
  if (cursor && cursor.partitionIndex < 0) {
    return { topics: [{ errorCode: ErrorCode.invalidRequest, name: cursor.topicName, topicId: zeroUuid }] };
  }
  // The cursor names the topic at which the last page ended: one of those that are asked for.
  const isAsked = request.topics.some(({ name }) => name === cursor?.topicName);
  if (cursor && request.topics.length > 0 && !isAsked) {
    const errorCode = ErrorCode.invalidRequest;
    return { topics: request.topics.map(({ name }) => ({ errorCode, name, topicId: zeroUuid })) };
  }
  const { image } = broker.metadata;
  const asked = request.topics.length > 0 ? request.topics.map(({ name }) => name) : [...image.topics.keys()];
  const names = [...new Set(asked)].sort().filter((name) => !cursor || name >= cursor.topicName);

  const topics: TopicAnswer[] = [];
  let left = Math.max(1, limit);
  for (const name of names) {
    const topic = image.topics.get(name);
    if (!topic) {
      topics.push(unknown(name));
      continue;
    }
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0;
    const answer = describe(broker, topic, { from, count: left });
    topics.push(answer);
    const told = answer.partitions?.length ?? 0;
    left -= told;
    if (from + told < topic.partitions.length) {
      return { topics, nextCursor: { topicName: name, partitionIndex: from + told } };
    }
  }
  return { topics, nextCursor: null };
}

function unknown(name: string): TopicAnswer {
  const errorCode = isValidTopicName(name)
    ? ErrorCode.unknownTopicOrPartition
    : ErrorCode.invalidTopicException;
  return { errorCode, name, topicId: zeroUuid, topicAuthorizedOperations: topicOperations };
}

function describe(
  broker: ServedBroker,
  topic: TopicImage,
  page: { from: number; count: number },
): TopicAnswer {
  return {
    errorCode: ErrorCode.none,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    topicAuthorizedOperations: topicOperations,
    partitions: topic.partitions.slice(page.from, page.from + page.count).map((partition) => ({
      ...placeOf(broker, topic.name, partition),
      partitionIndex: partition.index,
      replicaNodes: partition.replicas,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
  };
}
