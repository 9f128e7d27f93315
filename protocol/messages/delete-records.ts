import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Moves the start of partitions forward, dropping the records before it (KIP-107). */
export const DeleteRecords = api({
  name: "DeleteRecords",
  key: 21,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        offset: t.int64,
      }),
    }),
    timeoutMs: t.int32,
  },
  response: {
    throttleTimeMs: t.int32,
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        lowWatermark: t.int64,
        errorCode: t.errorCode,
      }),
    }),
  },
});

export type DeleteRecordsRequest = RequestOf<typeof DeleteRecords>;
export type DeleteRecordsResponse = ResponseOf<typeof DeleteRecords>;
