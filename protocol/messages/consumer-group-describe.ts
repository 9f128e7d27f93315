import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

const assignment = t.struct({
  topicPartitions: t.array({
    topicId: t.uuid,
    topicName: t.string,
    partitions: t.array(t.int32),
  }),
});

/** Describes groups of the new consumer protocol (KIP-848). */
export const ConsumerGroupDescribe = api({
  name: "ConsumerGroupDescribe",
  key: 69,
  versions: [0, 1],
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
      assignorName: t.string,
      members: t.array({
        memberId: t.string,
        instanceId: t.string.nullable(),
        rackId: t.string.nullable(),
        memberEpoch: t.int32,
        clientId: t.string,
        clientHost: t.string,
        subscribedTopicNames: t.array(t.string),
        subscribedTopicRegex: t.string.nullable(),
        assignment: assignment,
        targetAssignment: assignment,
        memberType: t.int8.since(1).default(-1).ignorable(), // KIP-1099.
      }),
      authorizedOperations: t.int32.default(-0x8000_0000),
    }),
  },
});

export type ConsumerGroupDescribeRequest = RequestOf<typeof ConsumerGroupDescribe>;
export type ConsumerGroupDescribeResponse = ResponseOf<typeof ConsumerGroupDescribe>;
