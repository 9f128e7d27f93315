import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells the effective configuration of resources, where each value comes from and what it overrides. */
export const DescribeConfigs = api({
  name: "DescribeConfigs",
  key: 32,
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: t.array({
      resourceType: t.int8,
      resourceName: t.string,
      configurationKeys: t.array(t.string).nullable(), // Null asks for all.
    }),
    includeSynonyms: t.boolean, // KIP-226.
    includeDocumentation: t.boolean.since(3), // KIP-569.
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      resourceType: t.int8,
      resourceName: t.string,
      configs: t.array({
        name: t.string,
        value: t.string.nullable(),
        readOnly: t.boolean,
        configSource: t.int8.default(-1).ignorable(),
        isSensitive: t.boolean,
        synonyms: t
          .array({
            name: t.string,
            value: t.string.nullable(),
            source: t.int8,
          })
          .ignorable(),
        configType: t.int8.since(3).ignorable(), // KIP-569.
        documentation: t.string.nullable().since(3).ignorable(),
      }),
    }),
  },
});

export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>;
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>;
