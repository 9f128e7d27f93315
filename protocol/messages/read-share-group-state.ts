import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Reads a share group's persisted state; sent between brokers (KIP-932). */
export const ReadShareGroupState = api({
  name: "ReadShareGroupState",
  key: 84,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partition: t.int32,
        leaderEpoch: t.int32,
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
        stateEpoch: t.int32,
        startOffset: t.int64,
        stateBatches: t.array({
          firstOffset: t.int64,
          lastOffset: t.int64,
          deliveryState: t.int8,
          deliveryCount: t.int16,
        }),
      }),
    }),
  },
});

export type ReadShareGroupStateRequest = RequestOf<typeof ReadShareGroupState>;
export type ReadShareGroupStateResponse = ResponseOf<typeof ReadShareGroupState>;
