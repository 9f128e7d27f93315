import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists delegation tokens (KIP-48). */
export const DescribeDelegationToken = api({
  name: "DescribeDelegationToken",
  key: 41,
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    owners: t
      .array({
        principalType: t.string,
        principalName: t.string,
      })
      .nullable(),
  },
  response: {
    errorCode: t.errorCode,
    tokens: t.array({
      principalType: t.string,
      principalName: t.string,
      tokenRequesterPrincipalType: t.string.since(3),
      tokenRequesterPrincipalName: t.string.since(3),
      issueTimestamp: t.int64,
      expiryTimestamp: t.int64,
      maxTimestamp: t.int64,
      tokenId: t.string,
      hmac: t.bytes,
      renewers: t.array({
        principalType: t.string,
        principalName: t.string,
      }),
    }),
    throttleTimeMs: t.int32,
  },
});

export type DescribeDelegationTokenRequest = RequestOf<typeof DescribeDelegationToken>;
export type DescribeDelegationTokenResponse = ResponseOf<typeof DescribeDelegationToken>;
