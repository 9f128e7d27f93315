import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Forgets a broker that is gone for good. */
export const UnregisterBroker = api({
  name: "UnregisterBroker",
  key: 64,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    brokerId: t.int32,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
  },
});

export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>;
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>;
