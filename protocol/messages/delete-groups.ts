import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes empty groups and their offsets. */
export const DeleteGroups = api({
  name: "DeleteGroups",
  key: 42,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    groupsNames: t.array(t.string),
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      groupId: t.string,
      errorCode: t.errorCode,
    }),
  },
});

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>;
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>;
