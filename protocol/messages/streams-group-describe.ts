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

const taskOffset = t.struct({
  subtopologyId: t.string,
  partition: t.int32,
  offset: t.int64,
});

const taskIds = t.struct({
  subtopologyId: t.string,
  partitions: t.array(t.int32),
});

const assignment = t.struct({
  activeTasks: t.array(taskIds),
  standbyTasks: t.array(taskIds),
  warmupTasks: t.array(taskIds),
});

/** Describes streams groups (KIP-1071). */
export const StreamsGroupDescribe = api({
  name: "StreamsGroupDescribe",
  key: 89,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupIds: t.array(t.string),
    includeAuthorizedOperations: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    groups: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      groupId: t.string,
      groupState: t.string,
      groupEpoch: t.int32,
      assignmentEpoch: t.int32,
      topology: t
        .struct({
          epoch: t.int32,
          subtopologies: t
            .array({
              subtopologyId: t.string,
              sourceTopics: t.array(t.string),
              repartitionSinkTopics: t.array(t.string),
              stateChangelogTopics: t.array(topicInfo),
              repartitionSourceTopics: t.array(topicInfo),
            })
            .nullable(),
        })
        .nullable(),
      members: t.array({
        memberId: t.string,
        memberEpoch: t.int32,
        instanceId: t.string.nullable(),
        rackId: t.string.nullable(),
        clientId: t.string,
        clientHost: t.string,
        topologyEpoch: t.int32,
        processId: t.string,
        userEndpoint: t
          .struct({
            host: t.string,
            port: t.uint16,
          })
          .nullable(),
        clientTags: t.array(keyValue),
        taskOffsets: t.array(taskOffset),
        taskEndOffsets: t.array(taskOffset),
        assignment: assignment,
        targetAssignment: assignment,
        isClassic: t.boolean,
      }),
      authorizedOperations: t.int32.default(-0x8000_0000),
    }),
  },
});

export type StreamsGroupDescribeRequest = RequestOf<typeof StreamsGroupDescribe>;
export type StreamsGroupDescribeResponse = ResponseOf<typeof StreamsGroupDescribe>;
