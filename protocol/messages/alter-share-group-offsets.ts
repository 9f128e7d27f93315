import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Sets the start offsets of a share group (KIP-932). */
export const AlterShareGroupOffsets = api({
  name: "AlterShareGroupOffsets",
  key: 91,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicName: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        startOffset: t.int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    responses: t.array({
      topicName: t.string,
      topicId: t.uuid,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
      }),
    }),
  },
});

export type AlterShareGroupOffsetsRequest = RequestOf<typeof AlterShareGroupOffsets>;
export type AlterShareGroupOffsetsResponse = ResponseOf<typeof AlterShareGroupOffsets>;
