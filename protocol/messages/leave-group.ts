import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Takes members out of a classic group. */
export const LeaveGroup = api({
  name: "LeaveGroup",
  key: 13,
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: t.string,
    memberId: t.string.until(2),
    // KIP-345: static members leave by instance id.
    members: t
      .array({
        memberId: t.string,
        groupInstanceId: t.string.nullable(),
        reason: t.string.nullable().since(5).ignorable(), // KIP-800.
      })
      .since(3),
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    errorCode: t.errorCode,
    members: t
      .array({
        memberId: t.string,
        groupInstanceId: t.string.nullable(),
        errorCode: t.errorCode,
      })
      .since(3),
  },
});

export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>;
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>;
