import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Describes share groups (KIP-932). */
export const ShareGroupDescribe = api({
  name: "ShareGroupDescribe",
  key: 77,
  versions: [1, 1],
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
        rackId: t.string.nullable(),
        memberEpoch: t.int32,
        clientId: t.string,
        clientHost: t.string,
        subscribedTopicNames: t.array(t.string),
        assignment: t.struct({
          topicPartitions: t.array({
            topicId: t.uuid,
            topicName: t.string,
            partitions: t.array(t.int32),
          }),
        }),
      }),
      authorizedOperations: t.int32.default(-0x8000_0000),
    }),
  },
});

export type ShareGroupDescribeRequest = RequestOf<typeof ShareGroupDescribe>;
export type ShareGroupDescribeResponse = ResponseOf<typeof ShareGroupDescribe>;
