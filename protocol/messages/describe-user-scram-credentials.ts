import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells which SCRAM credentials users have (KIP-554). */
export const DescribeUserScramCredentials = api({
  name: "DescribeUserScramCredentials",
  key: 50,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    users: t
      .array({
        name: t.string,
      })
      .nullable(),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    results: t.array({
      user: t.string,
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      credentialInfos: t.array({
        mechanism: t.int8,
        iterations: t.int32,
      }),
    }),
  },
});

export type DescribeUserScramCredentialsRequest = RequestOf<typeof DescribeUserScramCredentials>;
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof DescribeUserScramCredentials>;
