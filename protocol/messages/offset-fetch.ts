import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Reads a group's stored offsets. */
export const OffsetFetch = api({
  name: "OffsetFetch",
  key: 9,
  versions: [1, 10],
  flexibleFrom: 6,
  request: {
    groupId: t.string.until(7),
    // Null asks for all topics, here and in `groups`.
    topics: t
      .array({
        name: t.string,
        partitionIndexes: t.array(t.int32),
      })
      .nullable(2)
      .until(7),
    // KIP-709: many groups in one request.
    groups: t
      .array({
        groupId: t.string,
        memberId: t.string.nullable().since(9).ignorable(), // KIP-848.
        memberEpoch: t.int32.since(9).default(-1).ignorable(),
        topics: t
          .array({
            name: t.string.until(9).ignorable(),
            topicId: t.uuid.since(10).ignorable(),
            partitionIndexes: t.array(t.int32),
          })
          .nullable(),
      })
      .since(8),
    requireStable: t.boolean.since(7), // KIP-447: wait for open transactions on these offsets.
  },
  response: {
    throttleTimeMs: t.int32.since(3).ignorable(),
    topics: t
      .array({
        name: t.string,
        partitions: t.array({
          partitionIndex: t.int32,
          committedOffset: t.int64,
          committedLeaderEpoch: t.int32.since(5).default(-1).ignorable(),
          metadata: t.string.nullable(),
          errorCode: t.errorCode,
        }),
      })
      .until(7),
    errorCode: t.errorCode.since(2).until(7).ignorable(),
    // KIP-709.
    groups: t
      .array({
        groupId: t.string,
        topics: t.array({
          name: t.string.until(9).ignorable(),
          topicId: t.uuid.since(10).ignorable(),
          partitions: t.array({
            partitionIndex: t.int32,
            committedOffset: t.int64,
            committedLeaderEpoch: t.int32.default(-1).ignorable(),
            metadata: t.string.nullable(),
            errorCode: t.errorCode,
          }),
        }),
        errorCode: t.errorCode,
      })
      .since(8),
  },
});

export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>;
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>;
