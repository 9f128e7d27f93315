import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Creates a share group's persisted state; sent between brokers (KIP-932). */
export const InitializeShareGroupState = api({
  name: "InitializeShareGroupState",
  key: 83,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partition: t.int32,
        stateEpoch: t.int32,
        startOffset: t.int64,
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

export type InitializeShareGroupStateRequest = RequestOf<typeof InitializeShareGroupState>;
export type InitializeShareGroupStateResponse = ResponseOf<typeof InitializeShareGroupState>;
