import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells where a leader epoch ends: how clients notice that a log was truncated (KIP-320). */
export const OffsetForLeaderEpoch = api({
  name: "OffsetForLeaderEpoch",
  key: 23,
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    replicaId: t.int32.since(3).default(-2).ignorable(),
    topics: t.array({
      topic: t.string,
      partitions: t.array({
        partition: t.int32,
        currentLeaderEpoch: t.int32.default(-1).ignorable(),
        leaderEpoch: t.int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    topics: t.array({
      topic: t.string,
      partitions: t.array({
        errorCode: t.errorCode,
        partition: t.int32,
        leaderEpoch: t.int32.default(-1).ignorable(),
        endOffset: t.int64.default(-1),
      }),
    }),
  },
});

export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>;
