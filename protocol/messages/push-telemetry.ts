import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Delivers client metrics (KIP-714). */
export const PushTelemetry = api({
  name: "PushTelemetry",
  key: 72,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    clientInstanceId: t.uuid,
    subscriptionId: t.int32,
    terminating: t.boolean,
    compressionType: t.int8,
    metrics: t.bytes,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
  },
});

export type PushTelemetryRequest = RequestOf<typeof PushTelemetry>;
export type PushTelemetryResponse = ResponseOf<typeof PushTelemetry>;
