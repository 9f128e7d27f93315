import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { DeleteTopicsRequest, DeleteTopicsResponse } from "#protocol/messages/delete-topics.ts";
import { topicById } from "../cluster/metadata/metadata-image.ts";
import { repeatedNames } from "./repeated-names.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Answer = NonNullable<DeleteTopicsResponse["responses"]>[number];

interface Named {
  readonly name: string | null;
  readonly topicId: string;
}

/** Topics may be named by id from this version on (KIP-516). */
const firstVersionWithTopicIds = 6;

/** Removes topics by name or by id, each on its own. */
export async function deleteTopics(
  broker: ServedBroker,
  request: DeleteTopicsRequest,
  context: RequestContext,
): Promise<DeleteTopicsResponse> {
  const wanted: readonly Named[] =
    context.apiVersion >= firstVersionWithTopicIds
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: zeroUuid }));
  if (!broker.config.deleteTopics) {
    const errorCode = context.apiVersion < 3 ? ErrorCode.invalidRequest : ErrorCode.topicDeletionDisabled;
    return { responses: wanted.map((topic) => ({ ...topic, errorCode, errorMessage: null })) };
  }
  if (request.timeoutMs <= 0) {
    // As Kafka, which looks at no topic once the time is up.
    const errorCode = ErrorCode.requestTimedOut;
    return { responses: wanted.map((topic) => ({ ...topic, errorCode, errorMessage: null })) };
  }
  const repeated = repeatedNames(wanted.map((topic) => keyOf(broker, topic)));
  const responses = new Map<string, Answer | Promise<Answer>>();
  for (const topic of wanted) {
    const key = keyOf(broker, topic);
    // Told once, and none of them is removed: who names a topic twice did not mean what was written.
    responses.set(
      key,
      repeated.has(key) ? refused(topic, "Duplicate topic.") : remove(broker, topic, request),
    );
  }
  return { responses: await Promise.all(responses.values()) };
}

/** The same for a topic's name and its id. */
function keyOf(broker: ServedBroker, { name, topicId }: Named): string {
  const isUnnamed = name === null && topicId === zeroUuid;
  if (isUnnamed) return "";
  return name ?? topicById(broker.metadata.image, topicId)?.name ?? topicId;
}

async function remove(
  broker: ServedBroker,
  named: Named,
  { timeoutMs }: DeleteTopicsRequest,
): Promise<Answer> {
  const isById = named.topicId !== zeroUuid;
  if (isById && named.name !== null) return refused(named, "Topic id and name are not to be given together.");
  if (!isById && named.name === null) return refused(named, "Neither topic name nor id were specified.");

  const { image } = broker.metadata;
  const topic = named.name === null ? topicById(image, named.topicId) : image.topics.get(named.name);
  if (!topic) {
    const errorCode = isById ? ErrorCode.unknownTopicId : ErrorCode.unknownTopicOrPartition;
    return { ...named, errorCode, errorMessage: "This server does not host this topic." };
  }
  const outcome = await broker.topics.delete(topic, { limitMs: timeoutMs });
  return { name: topic.name, topicId: topic.id, ...outcome };
}

function refused(topic: Named, errorMessage: string): Answer {
  return { ...topic, errorCode: ErrorCode.invalidRequest, errorMessage };
}
