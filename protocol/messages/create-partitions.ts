import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Grows topics to a higher partition count. */
export const CreatePartitions = api({
  name: "CreatePartitions",
  key: 37,
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: t.array({
      name: t.string,
      count: t.int32,
      assignments: t
        .array({
          brokerIds: t.array(t.int32),
        })
        .nullable(),
    }),
    timeoutMs: t.int32,
    validateOnly: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      name: t.string,
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
    }),
  },
});

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>;
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>;
