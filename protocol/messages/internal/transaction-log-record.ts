import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a transaction's state. */
export const TransactionLogKey = message({
  name: "TransactionLogKey",
  recordType: 0,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    transactionalId: t.string,
  },
});

/** A transaction's state: its producer, its status and its partitions. */
export const TransactionLogValue = message({
  name: "TransactionLogValue",
  recordType: 0,
  versions: [0, 1],
  flexibleFrom: 1,
  fields: {
    producerId: t.int64,
    previousProducerId: t.int64.tagged(0, 1).default(-1),
    nextProducerId: t.int64.tagged(1, 1).default(-1),
    producerEpoch: t.int16,
    nextProducerEpoch: t.int16.tagged(3, 1).default(-1),
    transactionTimeoutMs: t.int32,
    transactionStatus: t.int8,
    transactionPartitions: t
      .array({
        topic: t.string,
        partitionIds: t.array(t.int32),
      })
      .nullable(),
    transactionLastUpdateTimestampMs: t.int64,
    transactionStartTimestampMs: t.int64,
    clientTransactionVersion: t.int16.tagged(2, 1),
  },
});
