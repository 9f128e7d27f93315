import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Keeps a classic group member alive and tells it when to rejoin. */
export const Heartbeat = api({
  name: "Heartbeat",
  key: 12,
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    groupId: t.string,
    generationId: t.int32,
    memberId: t.string,
    groupInstanceId: t.string.nullable().since(3), // KIP-345: static membership.
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    errorCode: t.errorCode,
  },
});

export type HeartbeatRequest = RequestOf<typeof Heartbeat>;
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>;
