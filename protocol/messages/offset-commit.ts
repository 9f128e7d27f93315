import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Stores a group's offsets. */
export const OffsetCommit = api({
  name: "OffsetCommit",
  key: 8,
  versions: [2, 10],
  flexibleFrom: 8,
  request: {
    groupId: t.string,
    // KIP-848: an epoch when the group uses the new protocol.
    generationIdOrMemberEpoch: t.int32.default(-1).ignorable(),
    memberId: t.string.ignorable(),
    groupInstanceId: t.string.nullable().since(7), // KIP-345.
    retentionTimeMs: t.int64.until(4).default(-1).ignorable(), // KIP-211 took it from clients.
    topics: t.array({
      name: t.string.until(9).ignorable(),
      topicId: t.uuid.since(10).ignorable(), // KIP-848.
      partitions: t.array({
        partitionIndex: t.int32,
        committedOffset: t.int64,
        committedLeaderEpoch: t.int32.since(6).default(-1).ignorable(), // KIP-320.
        committedMetadata: t.string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32.since(3).ignorable(),
    topics: t.array({
      name: t.string.until(9).ignorable(),
      topicId: t.uuid.since(10).ignorable(),
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
      }),
    }),
  },
});

export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>;
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>;
