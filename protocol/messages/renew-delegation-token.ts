import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Prolongs a delegation token (KIP-48). */
export const RenewDelegationToken = api({
  name: "RenewDelegationToken",
  key: 39,
  versions: [1, 2],
  flexibleFrom: 2,
  request: {
    hmac: t.bytes,
    renewPeriodMs: t.int64,
  },
  response: {
    errorCode: t.errorCode,
    expiryTimestampMs: t.int64,
    throttleTimeMs: t.int32,
  },
});

export type RenewDelegationTokenRequest = RequestOf<typeof RenewDelegationToken>;
export type RenewDelegationTokenResponse = ResponseOf<typeof RenewDelegationToken>;
