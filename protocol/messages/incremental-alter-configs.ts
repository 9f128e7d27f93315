import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Sets, deletes, appends to and subtracts from single configuration values (KIP-339). */
export const IncrementalAlterConfigs = api({
  name: "IncrementalAlterConfigs",
  key: 44,
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: t.array({
      resourceType: t.int8,
      resourceName: t.string,
      configs: t.array({
        name: t.string,
        configOperation: t.int8,
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

export type IncrementalAlterConfigsRequest = RequestOf<typeof IncrementalAlterConfigs>;
export type IncrementalAlterConfigsResponse = ResponseOf<typeof IncrementalAlterConfigs>;
