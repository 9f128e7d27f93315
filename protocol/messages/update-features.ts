import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Raises or lowers finalized feature levels (KIP-584). */
export const UpdateFeatures = api({
  name: "UpdateFeatures",
  key: 57,
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    timeoutMs: t.int32.default(60000),
    featureUpdates: t.array({
      feature: t.string,
      maxVersionLevel: t.int16,
      allowDowngrade: t.boolean.until(0),
      upgradeType: t.int8.since(1).default(1), // KIP-778.
    }),
    validateOnly: t.boolean.since(1),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    // KIP-1022: from v2 on features change all together or not at all.
    results: t
      .array({
        feature: t.string,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
      })
      .until(1)
      .ignorable(),
  },
});

export type UpdateFeaturesRequest = RequestOf<typeof UpdateFeatures>;
export type UpdateFeaturesResponse = ResponseOf<typeof UpdateFeatures>;
