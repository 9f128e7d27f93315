import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Asks which client metrics the broker wants pushed (KIP-714). */
export const GetTelemetrySubscriptions = api({
  name: "GetTelemetrySubscriptions",
  key: 71,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    clientInstanceId: t.uuid,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    clientInstanceId: t.uuid,
    subscriptionId: t.int32,
    acceptedCompressionTypes: t.array(t.int8),
    pushIntervalMs: t.int32,
    telemetryMaxBytes: t.int32,
    deltaTemporality: t.boolean,
    requestedMetrics: t.array(t.string),
  },
});

export type GetTelemetrySubscriptionsRequest = RequestOf<typeof GetTelemetrySubscriptions>;
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof GetTelemetrySubscriptions>;
