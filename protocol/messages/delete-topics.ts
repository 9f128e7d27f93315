import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes topics by name or id. */
export const DeleteTopics = api({
  name: "DeleteTopics",
  key: 20,
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    // KIP-516: by name or id.
    topics: t
      .array({
        name: t.string.nullable(),
        topicId: t.uuid,
      })
      .since(6),
    topicNames: t.array(t.string).until(5).ignorable(),
    timeoutMs: t.int32,
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    responses: t.array({
      name: t.string.nullable(6),
      topicId: t.uuid.since(6).ignorable(),
      errorCode: t.errorCode,
      errorMessage: t.string.nullable().since(5).ignorable(), // KIP-599.
    }),
  },
});

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>;
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>;
