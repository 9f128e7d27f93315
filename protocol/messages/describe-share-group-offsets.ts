import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells the start offsets of share groups (KIP-932). */
export const DescribeShareGroupOffsets = api({
  name: "DescribeShareGroupOffsets",
  key: 90,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groups: t.array({
      groupId: t.string,
      topics: t
        .array({
          topicName: t.string,
          partitions: t.array(t.int32),
        })
        .nullable(),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    groups: t.array({
      groupId: t.string,
      topics: t.array({
        topicName: t.string,
        topicId: t.uuid,
        partitions: t.array({
          partitionIndex: t.int32,
          startOffset: t.int64,
          leaderEpoch: t.int32,
          lag: t.int64.since(1).default(-1).ignorable(), // KIP-1226.
          errorCode: t.errorCode,
          errorMessage: t.string.nullable(),
        }),
      }),
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
    }),
  },
});

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>;
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof DescribeShareGroupOffsets>;
