import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Hands out the assignments of a classic group: the leader brings them, everyone gets their own. */
export const SyncGroup = api({
  name: "SyncGroup",
  key: 14,
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: t.string,
    generationId: t.int32,
    memberId: t.string,
    groupInstanceId: t.string.nullable().since(3), // KIP-345: static membership.
    // KIP-559: refused when it does not match the group's.
    protocolType: t.string.nullable().since(5).ignorable(),
    protocolName: t.string.nullable().since(5).ignorable(),
    // Filled by the leader only.
    assignments: t.array({
      memberId: t.string,
      assignment: t.bytes,
    }),
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    errorCode: t.errorCode,
    protocolType: t.string.nullable().since(5).ignorable(),
    protocolName: t.string.nullable().since(5).ignorable(),
    assignment: t.bytes,
  },
});

export type SyncGroupRequest = RequestOf<typeof SyncGroup>;
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>;
