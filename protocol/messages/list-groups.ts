import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the groups that this broker coordinates. */
export const ListGroups = api({
  name: "ListGroups",
  key: 16,
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    statesFilter: t.array(t.string).since(4), // KIP-518: empty means all.
    typesFilter: t.array(t.string).since(5), // KIP-848: empty means all.
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    errorCode: t.errorCode,
    groups: t.array({
      groupId: t.string,
      protocolType: t.string,
      groupState: t.string.since(4).ignorable(), // KIP-518.
      groupType: t.string.since(5).ignorable(), // KIP-848.
    }),
  },
});

export type ListGroupsRequest = RequestOf<typeof ListGroups>;
export type ListGroupsResponse = ResponseOf<typeof ListGroups>;
