import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the producers that are active in partitions (KIP-664). */
export const DescribeProducers = api({
  name: "DescribeProducers",
  key: 61,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: t.array({
      name: t.string,
      partitionIndexes: t.array(t.int32),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
        activeProducers: t.array({
          producerId: t.int64,
          producerEpoch: t.int32,
          lastSequence: t.int32.default(-1),
          lastTimestamp: t.int64.default(-1),
          coordinatorEpoch: t.int32,
          currentTxnStartOffset: t.int64.default(-1),
        }),
      }),
    }),
  },
});

export type DescribeProducersRequest = RequestOf<typeof DescribeProducers>;
export type DescribeProducersResponse = ResponseOf<typeof DescribeProducers>;
