import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Joins a classic group; answered when the generation is complete, to its leader with all members. */
export const JoinGroup = api({
  name: "JoinGroup",
  key: 11,
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: t.string,
    sessionTimeoutMs: t.int32,
    // KIP-62: below v1 the session timeout stands for it.
    rebalanceTimeoutMs: t.int32.since(1).default(-1).ignorable(),
    memberId: t.string, // KIP-394: empty at first, then the id that MEMBER_ID_REQUIRED brought.
    groupInstanceId: t.string.nullable().since(5), // KIP-345: static membership.
    protocolType: t.string,
    protocols: t.array({
      name: t.string,
      metadata: t.bytes,
    }),
    reason: t.string.nullable().since(8).ignorable(), // KIP-800.
  },
  response: {
    throttleTimeMs: t.int32.since(2).ignorable(),
    errorCode: t.errorCode,
    generationId: t.int32.default(-1),
    protocolType: t.string.nullable().since(7).ignorable(), // KIP-559.
    protocolName: t.string.nullable(7),
    leader: t.string,
    skipAssignment: t.boolean.since(9), // KIP-814: a static leader that returned keeps the assignment.
    memberId: t.string,
    // Filled for the leader only.
    members: t.array({
      memberId: t.string,
      groupInstanceId: t.string.nullable().since(5).ignorable(),
      metadata: t.bytes,
    }),
  },
});

export type JoinGroupRequest = RequestOf<typeof JoinGroup>;
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>;
