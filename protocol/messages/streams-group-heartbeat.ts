import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

const keyValue = t.struct({
  key: t.string,
  value: t.string,
});

const topicInfo = t.struct({
  name: t.string,
  partitions: t.int32,
  replicationFactor: t.int16,
  topicConfigs: t.array(keyValue),
});

const taskIds = t.struct({
  subtopologyId: t.string,
  partitions: t.array(t.int32),
});

const taskOffset = t.struct({
  subtopologyId: t.string,
  partition: t.int32,
  offset: t.int64,
});

const topicPartition = t.struct({
  topic: t.string,
  partitions: t.array(t.int32),
});

/** Joins, leaves and keeps alive a member of a streams group (KIP-1071). */
export const StreamsGroupHeartbeat = api({
  name: "StreamsGroupHeartbeat",
  key: 88,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    memberId: t.string,
    memberEpoch: t.int32,
    endpointInformationEpoch: t.int32,
    instanceId: t.string.nullable(),
    rackId: t.string.nullable(),
    rebalanceTimeoutMs: t.int32.default(-1),
    topology: t
      .struct({
        epoch: t.int32,
        subtopologies: t.array({
          subtopologyId: t.string,
          sourceTopics: t.array(t.string),
          sourceTopicRegex: t.array(t.string),
          stateChangelogTopics: t.array(topicInfo),
          repartitionSinkTopics: t.array(t.string),
          repartitionSourceTopics: t.array(topicInfo),
          copartitionGroups: t.array({
            sourceTopics: t.array(t.int16),
            sourceTopicRegex: t.array(t.int16),
            repartitionSourceTopics: t.array(t.int16),
          }),
        }),
      })
      .nullable(),
    activeTasks: t.array(taskIds).nullable(),
    standbyTasks: t.array(taskIds).nullable(),
    warmupTasks: t.array(taskIds).nullable(),
    processId: t.string.nullable(),
    userEndpoint: t
      .struct({
        host: t.string,
        port: t.uint16,
      })
      .nullable(),
    clientTags: t.array(keyValue).nullable(),
    taskOffsets: t.array(taskOffset).nullable(),
    taskEndOffsets: t.array(taskOffset).nullable(),
    shutdownApplication: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    memberId: t.string,
    memberEpoch: t.int32,
    heartbeatIntervalMs: t.int32,
    acceptableRecoveryLag: t.int32,
    taskOffsetIntervalMs: t.int32,
    status: t
      .array({
        statusCode: t.int8,
        statusDetail: t.string,
      })
      .nullable(),
    activeTasks: t.array(taskIds).nullable(),
    standbyTasks: t.array(taskIds).nullable(),
    warmupTasks: t.array(taskIds).nullable(),
    endpointInformationEpoch: t.int32,
    partitionsByUserEndpoint: t
      .array({
        userEndpoint: t.struct({
          host: t.string,
          port: t.uint16,
        }),
        activePartitions: t.array(topicPartition),
        standbyPartitions: t.array(topicPartition),
      })
      .nullable(),
  },
});

export type StreamsGroupHeartbeatRequest = RequestOf<typeof StreamsGroupHeartbeat>;
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof StreamsGroupHeartbeat>;
