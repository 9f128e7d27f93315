import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { CreateTopicsRequest, CreateTopicsResponse } from "#protocol/messages/create-topics.ts";
import type { PlannedTopic } from "../cluster/admin/topic-admin.ts";
import { describeTopicConfigs } from "../config/describe-configs.ts";
import { repeatedNames } from "./repeated-names.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = CreateTopicsRequest;
type TopicRequest = Request["topics"][number];
type TopicAnswer = NonNullable<CreateTopicsResponse["topics"]>[number];

const everything = { names: null, includeSynonyms: false, includeDocumentation: false };

/** Makes topics, each on its own: some may succeed where others fail. */
export async function createTopics(broker: ServedBroker, request: Request): Promise<CreateTopicsResponse> {
  const repeated = repeatedNames(request.topics.map(({ name }) => name));
  const unique = request.topics.filter(({ name }) => !repeated.has(name));
  const answers = await Promise.all(unique.map((topic) => create(broker, topic, request)));
  const refused = [...repeated].map((name) =>
    failed(name, ErrorCode.invalidRequest, "Duplicate topic name."),
  );
  return { topics: [...refused, ...answers] };
}

async function create(
  broker: ServedBroker,
  topic: TopicRequest,
  { validateOnly, timeoutMs }: Request,
): Promise<TopicAnswer> {
  const result = await broker.topics.create(
    {
      name: topic.name,
      partitionCount: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
      assignments: topic.assignments,
      configs: topic.configs,
    },
    { validateOnly, limitMs: timeoutMs },
  );
  if (!("topic" in result)) return failed(topic.name, result.errorCode, result.errorMessage);
  return created(broker, result.topic);
}

function created(broker: ServedBroker, topic: PlannedTopic): TopicAnswer {
  const overrides = new Map(Object.entries(topic.configs));
  return {
    name: topic.name,
    topicId: topic.id ?? zeroUuid,
    errorCode: ErrorCode.none,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.length ?? -1,
    configs: describeTopicConfigs({ overrides, layers: broker.configLayers() }, everything).map((entry) => ({
      name: entry.name,
      value: entry.value,
      readOnly: entry.readOnly,
      configSource: entry.configSource,
      isSensitive: entry.isSensitive,
    })),
  };
}

function failed(name: string, errorCode: ErrorCode, errorMessage: string | null): TopicAnswer {
  return {
    name,
    topicId: zeroUuid,
    errorCode,
    errorMessage,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
