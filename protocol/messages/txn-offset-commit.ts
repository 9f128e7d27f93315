import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Stores a group's offsets that become visible when the transaction commits. */
export const TxnOffsetCommit = api({
  name: "TxnOffsetCommit",
  key: 28,
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: t.string,
    groupId: t.string,
    producerId: t.int64,
    producerEpoch: t.int16,
    generationId: t.int32.since(3).default(-1), // KIP-447: fences zombie members.
    memberId: t.string.since(3),
    groupInstanceId: t.string.nullable().since(3),
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        committedOffset: t.int64,
        committedLeaderEpoch: t.int32.since(2).default(-1).ignorable(), // KIP-320.
        committedMetadata: t.string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
      }),
    }),
  },
});

export type TxnOffsetCommitRequest = RequestOf<typeof TxnOffsetCommit>;
export type TxnOffsetCommitResponse = ResponseOf<typeof TxnOffsetCommit>;
