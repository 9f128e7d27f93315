import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

const addPartitionsToTxnTopic = t.struct({
  name: t.string,
  partitions: t.array(t.int32),
});

const addPartitionsToTxnTopicResult = t.struct({
  name: t.string,
  resultsByPartition: t.array({
    partitionIndex: t.int32,
    partitionErrorCode: t.errorCode,
  }),
});

/** Adds partitions to a transaction, or (v4, between brokers) verifies that they are in it. */
export const AddPartitionsToTxn = api({
  name: "AddPartitionsToTxn",
  key: 24,
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    // KIP-890: brokers ask for many transactions at once.
    transactions: t
      .array({
        transactionalId: t.string,
        producerId: t.int64,
        producerEpoch: t.int16,
        verifyOnly: t.boolean,
        topics: t.array(addPartitionsToTxnTopic),
      })
      .since(4),
    v3AndBelowTransactionalId: t.string.until(3), // Clients, who know one transaction each.
    v3AndBelowProducerId: t.int64.until(3),
    v3AndBelowProducerEpoch: t.int16.until(3),
    v3AndBelowTopics: t.array(addPartitionsToTxnTopic).until(3),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode.since(4).ignorable(),
    resultsByTransaction: t
      .array({
        transactionalId: t.string,
        topicResults: t.array(addPartitionsToTxnTopicResult),
      })
      .since(4),
    resultsByTopicV3AndBelow: t.array(addPartitionsToTxnTopicResult).until(3),
  },
});

export type AddPartitionsToTxnRequest = RequestOf<typeof AddPartitionsToTxn>;
export type AddPartitionsToTxnResponse = ResponseOf<typeof AddPartitionsToTxn>;
