import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Replaces the whole configuration of topics and brokers: a key left out goes back to its default. */
export const AlterConfigs = api({
  name: "AlterConfigs",
  key: 33,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: t.array({
      resourceType: t.int8,
      resourceName: t.string,
      configs: t.array({
        name: t.string,
        value: t.string.nullable(),
      }),
    }),
    validateOnly: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    responses: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      resourceType: t.int8,
      resourceName: t.string,
    }),
  },
});

export type AlterConfigsRequest = RequestOf<typeof AlterConfigs>;
export type AlterConfigsResponse = ResponseOf<typeof AlterConfigs>;
