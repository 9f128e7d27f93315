import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Shortens the life of a delegation token, or ends it (KIP-48). */
export const ExpireDelegationToken = api({
  name: "ExpireDelegationToken",
  key: 40,
  versions: [1, 2],
  flexibleFrom: 2,
  request: {
    hmac: t.bytes,
    expiryTimePeriodMs: t.int64,
  },
  response: {
    errorCode: t.errorCode,
    expiryTimestampMs: t.int64,
    throttleTimeMs: t.int32,
  },
});

export type ExpireDelegationTokenRequest = RequestOf<typeof ExpireDelegationToken>;
export type ExpireDelegationTokenResponse = ResponseOf<typeof ExpireDelegationToken>;
