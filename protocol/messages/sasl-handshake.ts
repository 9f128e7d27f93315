import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Chooses a SASL mechanism: v0 continues with raw tokens, v1 with SaslAuthenticate. */
export const SaslHandshake = api({
  name: "SaslHandshake",
  key: 17,
  versions: [0, 1],
  flexibleFrom: "never",
  request: {
    mechanism: t.string,
  },
  response: {
    errorCode: t.errorCode,
    mechanisms: t.array(t.string),
  },
});

export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>;
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>;
