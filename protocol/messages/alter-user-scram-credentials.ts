import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Creates, changes and deletes SCRAM credentials (KIP-554). */
export const AlterUserScramCredentials = api({
  name: "AlterUserScramCredentials",
  key: 51,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    deletions: t.array({
      name: t.string,
      mechanism: t.int8,
    }),
    upsertions: t.array({
      name: t.string,
      mechanism: t.int8,
      iterations: t.int32,
      salt: t.bytes,
      saltedPassword: t.bytes,
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      user: t.string,
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
    }),
  },
});

export type AlterUserScramCredentialsRequest = RequestOf<typeof AlterUserScramCredentials>;
export type AlterUserScramCredentialsResponse = ResponseOf<typeof AlterUserScramCredentials>;
