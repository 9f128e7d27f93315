import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Carries one message of the chosen SASL mechanism. */
export const SaslAuthenticate = api({
  name: "SaslAuthenticate",
  key: 36,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    authBytes: t.bytes,
  },
  response: {
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    authBytes: t.bytes,
    sessionLifetimeMs: t.int64.since(1).ignorable(), // KIP-368: 0 means no re-authentication.
  },
});

export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>;
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>;
