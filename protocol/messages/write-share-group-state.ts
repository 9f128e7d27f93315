import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Writes a share group's persisted state; sent between brokers (KIP-932). */
export const WriteShareGroupState = api({
  name: "WriteShareGroupState",
  key: 85,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partition: t.int32,
        stateEpoch: t.int32,
        leaderEpoch: t.int32,
        startOffset: t.int64,
        deliveryCompleteCount: t.int32.since(1).default(-1).ignorable(), // KIP-1226.
        stateBatches: t.array({
          firstOffset: t.int64,
          lastOffset: t.int64,
          deliveryState: t.int8,
          deliveryCount: t.int16,
        }),
      }),
    }),
  },
  response: {
    results: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partition: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
      }),
    }),
  },
});

export type WriteShareGroupStateRequest = RequestOf<typeof WriteShareGroupState>;
export type WriteShareGroupStateResponse = ResponseOf<typeof WriteShareGroupState>;
