import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells which APIs and versions the broker serves; the first request of nearly every connection. */
export const ApiVersions = api({
  name: "ApiVersions",
  key: 18,
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    clientSoftwareName: t.string.since(3).ignorable(), // KIP-511.
    clientSoftwareVersion: t.string.since(3).ignorable(),
  },
  response: {
    errorCode: t.errorCode,
    apiKeys: t.array({
      apiKey: t.int16,
      minVersion: t.int16,
      maxVersion: t.int16,
    }),
    throttleTimeMs: t.int32.since(1).ignorable(),
    // KIP-584. Before v4, a feature whose minimum is 0 must be left out.
    supportedFeatures: t
      .array({
        name: t.string,
        minVersion: t.int16,
        maxVersion: t.int16,
      })
      .tagged(0, 3)
      .ignorable(),
    // -1 makes clients ignore the finalized features.
    finalizedFeaturesEpoch: t.int64.tagged(1, 3).default(-1).ignorable(),
    finalizedFeatures: t
      .array({
        name: t.string,
        maxVersionLevel: t.int16,
        minVersionLevel: t.int16,
      })
      .tagged(2, 3)
      .ignorable(),
    zkMigrationReady: t.boolean.tagged(3, 3).ignorable(),
  },
});

export type ApiVersionsRequest = RequestOf<typeof ApiVersions>;
export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>;
