import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Reads the summary of a share group's persisted state; sent between brokers (KIP-932). */
export const ReadShareGroupStateSummary = api({
  name: "ReadShareGroupStateSummary",
  key: 87,
  versions: [0, 1],
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
        leaderEpoch: t.int32,
        startOffset: t.int64,
        deliveryCompleteCount: t.int32.since(1).default(-1).ignorable(), // KIP-1226.
      }),
    }),
  },
});

export type ReadShareGroupStateSummaryRequest = RequestOf<typeof ReadShareGroupStateSummary>;
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof ReadShareGroupStateSummary>;
