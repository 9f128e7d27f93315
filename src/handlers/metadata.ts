import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { MetadataRequest, MetadataResponse } from "#protocol/messages/metadata.ts";
import { internalTopics, type TopicImage, topicById } from "../cluster/metadata/metadata-image.ts";
import { isValidTopicName } from "../cluster/metadata/topic-name.ts";
import { clusterOperations, topicOperations } from "./authorized-operations.ts";
import { brokerEndpoints } from "./broker-endpoints.ts";
import { placeOf } from "./partition-place.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = MetadataRequest;
type Response = MetadataResponse;
type TopicAnswer = NonNullable<Response["topics"]>[number];

/** Versions 10 and 11 carry topic ids, but their answers cannot leave out a name (KIP-516). */
const firstVersionByTopicId = 12;

/** Describes brokers and topics; makes topics that are asked for by name where client and broker allow it. */
export async function metadata(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const topics = namesIds(request, context)
    ? refuseIds(request)
    : await describeAll(broker, request, context);
  return {
    brokers: brokerEndpoints(broker, context.connection.listenerName),
    clusterId: broker.metadata.image.clusterId,
    controllerId: broker.controllerId,
    topics: request.includeTopicAuthorizedOperations ? topics.map(withOperations) : topics,
    ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: clusterOperations }),
  };
}

function withOperations(topic: TopicAnswer): TopicAnswer {
  return { ...topic, topicAuthorizedOperations: topicOperations };
}

function namesIds(request: Request, { apiVersion }: RequestContext): boolean {
  if (apiVersion >= firstVersionByTopicId) return false;
  return request.topics?.some(({ name, topicId }) => name === null || topicId !== zeroUuid) ?? false;
}

function refuseIds({ topics }: Request): TopicAnswer[] {
  return (topics ?? []).map(({ name, topicId }) => ({
    errorCode: ErrorCode.invalidRequest,
    name: name ?? "",
    topicId,
  }));
}

async function describeAll(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<TopicAnswer[]> {
  const mayCreate = isCreationAllowed(broker, request, context);
  const wanted = wantedTopics(broker, request, context.apiVersion);
  return await Promise.all(wanted.map((topic) => describe(broker, topic, mayCreate)));
}

type Wanted = { readonly topic: TopicImage } | { readonly name: string } | { readonly id: string };

/** Null asks for all topics; so does an empty list in version 0, where null could not be said. */
function wantedTopics(broker: ServedBroker, request: Request, apiVersion: number): Wanted[] {
  const { image } = broker.metadata;
  if (request.topics === null || (apiVersion === 0 && request.topics.length === 0)) {
    return [...image.topics.values()].map((topic) => ({ topic }));
  }
  const seen = new Set<string>();
  const wanted: Wanted[] = [];
  for (const { name, topicId } of request.topics) {
    // An id is the better name: it is never used again.
    const isById = name === null || topicId !== zeroUuid;
    const key = isById ? topicId : name;
    if (seen.has(key)) continue;
    seen.add(key);
    wanted.push(isById ? { id: topicId } : { name });
  }
  return wanted;
}

function isCreationAllowed(broker: ServedBroker, request: Request, context: RequestContext): boolean {
  return broker.config.autoCreateTopics && (context.apiVersion < 4 || request.allowAutoTopicCreation);
}

async function describe(broker: ServedBroker, wanted: Wanted, mayCreate: boolean): Promise<TopicAnswer> {
  if ("topic" in wanted) return topicAnswer(broker, wanted.topic);
  if ("id" in wanted) {
    const topic = topicById(broker.metadata.image, wanted.id);
    if (topic) return topicAnswer(broker, topic);
    return { errorCode: ErrorCode.unknownTopicId, name: null, topicId: wanted.id };
  }

  const { name } = wanted;
  if (!isValidTopicName(name)) return { errorCode: ErrorCode.invalidTopicException, name, topicId: zeroUuid };
  let topic = broker.metadata.image.topics.get(name);
  if (!topic && mayCreate) {
    const result = await broker.topics.createAutomatically(name);
    // Clients that know of no such code here ask again for what has no leader yet.
    const errorCode = result === ErrorCode.requestTimedOut ? ErrorCode.leaderNotAvailable : result;
    if (errorCode !== ErrorCode.none) return { errorCode, name, topicId: zeroUuid };
    topic = broker.metadata.image.topics.get(name);
  }
  return topic
    ? topicAnswer(broker, topic)
    : {
        errorCode: ErrorCode.unknownTopicOrPartition,
        name,
        topicId: zeroUuid,
        isInternal: internalTopics.has(name),
      };
}

function topicAnswer(broker: ServedBroker, topic: TopicImage): TopicAnswer {
  return {
    errorCode: ErrorCode.none,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => ({
      ...placeOf(broker, topic.name, partition),
      partitionIndex: partition.index,
      replicaNodes: partition.replicas,
    })),
  };
}
