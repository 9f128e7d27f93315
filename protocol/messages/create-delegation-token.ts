import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Issues a delegation token (KIP-48). */
export const CreateDelegationToken = api({
  name: "CreateDelegationToken",
  key: 38,
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    ownerPrincipalType: t.string.nullable().since(3), // KIP-373: tokens for other users.
    ownerPrincipalName: t.string.nullable().since(3),
    renewers: t.array({
      principalType: t.string,
      principalName: t.string,
    }),
    maxLifetimeMs: t.int64,
  },
  response: {
    errorCode: t.errorCode,
    principalType: t.string,
    principalName: t.string,
    tokenRequesterPrincipalType: t.string.since(3),
    tokenRequesterPrincipalName: t.string.since(3),
    issueTimestampMs: t.int64,
    expiryTimestampMs: t.int64,
    maxTimestampMs: t.int64,
    tokenId: t.string,
    hmac: t.bytes,
    throttleTimeMs: t.int32,
  },
});

export type CreateDelegationTokenRequest = RequestOf<typeof CreateDelegationToken>;
export type CreateDelegationTokenResponse = ResponseOf<typeof CreateDelegationToken>;
