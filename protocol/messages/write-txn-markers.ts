import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Writes commit or abort markers; sent by the transaction coordinator to partition leaders. */
export const WriteTxnMarkers = api({
  name: "WriteTxnMarkers",
  key: 27,
  versions: [1, 2],
  flexibleFrom: 1,
  request: {
    markers: t.array({
      producerId: t.int64,
      producerEpoch: t.int16,
      transactionResult: t.boolean,
      topics: t.array({
        name: t.string,
        partitionIndexes: t.array(t.int32),
      }),
      coordinatorEpoch: t.int32,
      transactionVersion: t.int8.since(2).ignorable(), // KIP-1228.
    }),
  },
  response: {
    markers: t.array({
      producerId: t.int64,
      topics: t.array({
        name: t.string,
        partitions: t.array({
          partitionIndex: t.int32,
          errorCode: t.errorCode,
        }),
      }),
    }),
  },
});

export type WriteTxnMarkersRequest = RequestOf<typeof WriteTxnMarkers>;
export type WriteTxnMarkersResponse = ResponseOf<typeof WriteTxnMarkers>;
