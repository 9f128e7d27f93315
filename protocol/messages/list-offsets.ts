import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Finds offsets by timestamp, or by the special timestamps for start, end and others. */
export const ListOffsets = api({
  name: "ListOffsets",
  key: 2,
  versions: [1, 11],
  flexibleFrom: 6,
  request: {
    replicaId: t.int32,
    isolationLevel: t.int8.since(2), // KIP-98.
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        currentLeaderEpoch: t.int32.since(4).default(-1).ignorable(), // KIP-320.
        // -1 end, -2 start, -3 highest timestamp (KIP-734), -4 local start (KIP-405), -5 end of tiered (KIP-1005), -6 next upload (KIP-1023).
        timestamp: t.int64,
      }),
    }),
    timeoutMs: t.int32.since(10).ignorable(), // KIP-1075: lookups in tiered segments may wait.
  },
  response: {
    throttleTimeMs: t.int32.since(2).ignorable(),
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        timestamp: t.int64.default(-1),
        offset: t.int64.default(-1),
        leaderEpoch: t.int32.since(4).default(-1), // KIP-320.
      }),
    }),
  },
});

export type ListOffsetsRequest = RequestOf<typeof ListOffsets>;
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>;
