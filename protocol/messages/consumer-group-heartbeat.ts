import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Joins, leaves and keeps alive a member of the new consumer protocol (KIP-848). */
export const ConsumerGroupHeartbeat = api({
  name: "ConsumerGroupHeartbeat",
  key: 68,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    memberId: t.string,
    memberEpoch: t.int32, // 0 joins, -1 leaves, -2 leaves for a while as a static member.
    instanceId: t.string.nullable(),
    rackId: t.string.nullable(),
    rebalanceTimeoutMs: t.int32.default(-1),
    subscribedTopicNames: t.array(t.string).nullable(),
    // From v1 on members also choose their own id (KIP-1082).
    subscribedTopicRegex: t.string.nullable().since(1),
    serverAssignor: t.string.nullable(),
    topicPartitions: t
      .array({
        topicId: t.uuid,
        partitions: t.array(t.int32),
      })
      .nullable(),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    memberId: t.string.nullable(),
    memberEpoch: t.int32,
    heartbeatIntervalMs: t.int32,
    // Null means unchanged.
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

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>;
