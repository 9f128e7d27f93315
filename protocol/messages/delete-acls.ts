import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes all access rules that match filters. */
export const DeleteAcls = api({
  name: "DeleteAcls",
  key: 31,
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    filters: t.array({
      resourceTypeFilter: t.int8,
      resourceNameFilter: t.string.nullable(),
      patternTypeFilter: t.int8.default(3), // KIP-290.
      principalFilter: t.string.nullable(),
      hostFilter: t.string.nullable(),
      operation: t.int8,
      permissionType: t.int8,
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    filterResults: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
      matchingAcls: t.array({
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
        resourceType: t.int8,
        resourceName: t.string,
        patternType: t.int8.default(3),
        principal: t.string,
        host: t.string,
        operation: t.int8,
        permissionType: t.int8,
      }),
    }),
  },
});

export type DeleteAclsRequest = RequestOf<typeof DeleteAcls>;
export type DeleteAclsResponse = ResponseOf<typeof DeleteAcls>;
