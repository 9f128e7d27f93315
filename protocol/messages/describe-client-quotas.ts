import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists client quotas that match a filter (KIP-546). */
export const DescribeClientQuotas = api({
  name: "DescribeClientQuotas",
  key: 48,
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    components: t.array({
      entityType: t.string,
      matchType: t.int8,
      match: t.string.nullable(),
    }),
    strict: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    entries: t
      .array({
        entity: t.array({
          entityType: t.string,
          entityName: t.string.nullable(),
        }),
        values: t.array({
          key: t.string,
          value: t.float64,
        }),
      })
      .nullable(),
  },
});

export type DescribeClientQuotasRequest = RequestOf<typeof DescribeClientQuotas>;
export type DescribeClientQuotasResponse = ResponseOf<typeof DescribeClientQuotas>;
