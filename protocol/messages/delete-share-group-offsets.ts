import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes a share group's offsets for topics (KIP-932). */
export const DeleteShareGroupOffsets = api({
  name: "DeleteShareGroupOffsets",
  key: 92,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: t.string,
    topics: t.array({
      topicName: t.string,
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    responses: t.array({
      topicName: t.string,
      topicId: t.uuid,
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
    }),
  },
});

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>;
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>;
