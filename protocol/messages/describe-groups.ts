import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Describes classic groups with their members. */
export const DescribeGroups = api({
  name: "DescribeGroups",
  key: 15,
  versions: [0, 6],
  flexibleFrom: 5,
  request: {
    groups: t.array(t.string),
    includeAuthorizedOperations: t.boolean.since(3), // KIP-430.
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    groups: t.array({
      errorCode: t.errorCode,
      // KIP-1043: an unknown group is an error from here on, not Dead.
      errorMessage: t.string.nullable().since(6),
      groupId: t.string,
      groupState: t.string,
      protocolType: t.string,
      protocolData: t.string,
      members: t.array({
        memberId: t.string,
        groupInstanceId: t.string.nullable().since(4).ignorable(), // KIP-345.
        clientId: t.string,
        clientHost: t.string,
        memberMetadata: t.bytes,
        memberAssignment: t.bytes,
      }),
      authorizedOperations: t.int32.since(3).default(-0x8000_0000),
    }),
  },
});

export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>;
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>;
