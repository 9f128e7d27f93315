import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Sets and removes client quotas (KIP-546). */
export const AlterClientQuotas = api({
  name: "AlterClientQuotas",
  key: 49,
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    entries: t.array({
      entity: t.array({
        entityType: t.string,
        entityName: t.string.nullable(),
      }),
      ops: t.array({
        key: t.string,
        value: t.float64,
        remove: t.boolean,
      }),
    }),
    validateOnly: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    entries: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      entity: t.array({
        entityType: t.string,
        entityName: t.string.nullable(),
      }),
    }),
  },
});

export type AlterClientQuotasRequest = RequestOf<typeof AlterClientQuotas>;
export type AlterClientQuotasResponse = ResponseOf<typeof AlterClientQuotas>;
