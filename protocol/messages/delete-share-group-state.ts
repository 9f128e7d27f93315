import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes a share group's persisted state; sent between brokers (KIP-932). */
export const DeleteShareGroupState = api({
  name: "DeleteShareGroupState",
  key: 86,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partition: t.int32,
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

export type DeleteShareGroupStateRequest = RequestOf<typeof DeleteShareGroupState>;
export type DeleteShareGroupStateResponse = ResponseOf<typeof DeleteShareGroupState>;
