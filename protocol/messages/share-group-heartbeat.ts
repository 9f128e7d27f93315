import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Joins, leaves and keeps alive a member of a share group (KIP-932). */
export const ShareGroupHeartbeat = api({
  name: "ShareGroupHeartbeat",
  key: 76,
  versions: [1, 1],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    memberId: t.string,
    memberEpoch: t.int32,
    rackId: t.string.nullable(),
    subscribedTopicNames: t.array(t.string).nullable(),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    memberId: t.string.nullable(),
    memberEpoch: t.int32,
    heartbeatIntervalMs: t.int32,
    assignment: t
      .struct({
        topicPartitions: t.array({
          topicId: t.uuid,
          partitions: t.array(t.int32),
        }),
      })
      .nullable(),
  },
});

export type ShareGroupHeartbeatRequest = RequestOf<typeof ShareGroupHeartbeat>;
export type ShareGroupHeartbeatResponse = ResponseOf<typeof ShareGroupHeartbeat>;
