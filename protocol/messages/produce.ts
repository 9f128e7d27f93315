import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Appends record batches; answered according to `acks`, and not at all when it is 0. */
export const Produce = api({
  name: "Produce",
  key: 0,
  versions: [3, 13],
  flexibleFrom: 9,
  request: {
    transactionalId: t.string.nullable(), // KIP-98: null unless transactional.
    acks: t.int16,
    timeoutMs: t.int32,
    topicData: t.array({
      name: t.string.until(12).ignorable(),
      topicId: t.uuid.since(13).ignorable(), // KIP-516: ids take the place of names.
      partitionData: t.array({
        index: t.int32,
        records: t.records.nullable(),
      }),
    }),
  },
  response: {
    responses: t.array({
      name: t.string.until(12).ignorable(),
      topicId: t.uuid.since(13).ignorable(), // KIP-516.
      partitionResponses: t.array({
        index: t.int32,
        errorCode: t.errorCode,
        baseOffset: t.int64,
        logAppendTimeMs: t.int64.default(-1).ignorable(), // Set only when the topic stamps records itself.
        logStartOffset: t.int64.since(5).default(-1).ignorable(), // KIP-107.
        // KIP-467: which records spoiled the batch.
        recordErrors: t
          .array({
            batchIndex: t.int32,
            batchIndexErrorMessage: t.string.nullable(),
          })
          .since(8)
          .ignorable(),
        errorMessage: t.string.nullable().since(8).ignorable(),
        // KIP-951: spares the client a Metadata round trip after a leader change.
        currentLeader: t
          .struct({
            leaderId: t.int32.default(-1),
            leaderEpoch: t.int32.default(-1),
          })
          .tagged(0, 10),
      }),
    }),
    throttleTimeMs: t.int32.ignorable(),
    // KIP-951.
    nodeEndpoints: t
      .array({
        nodeId: t.int32,
        host: t.string,
        port: t.int32,
        rack: t.string.nullable(),
      })
      .tagged(0, 10),
  },
});

export type ProduceRequest = RequestOf<typeof Produce>;
export type ProduceResponse = ResponseOf<typeof Produce>;
