import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Describes transactions by their ids (KIP-664). */
export const DescribeTransactions = api({
  name: "DescribeTransactions",
  key: 65,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    transactionalIds: t.array(t.string),
  },
  response: {
    throttleTimeMs: t.int32,
    transactionStates: t.array({
      errorCode: t.errorCode,
      transactionalId: t.string,
      transactionState: t.string,
      transactionTimeoutMs: t.int32,
      transactionStartTimeMs: t.int64,
      producerId: t.int64,
      producerEpoch: t.int16,
      topics: t.array({
        topic: t.string,
        partitions: t.array(t.int32),
      }),
    }),
  },
});

export type DescribeTransactionsRequest = RequestOf<typeof DescribeTransactions>;
export type DescribeTransactionsResponse = ResponseOf<typeof DescribeTransactions>;
