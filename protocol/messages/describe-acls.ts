import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the access rules that match a filter. */
export const DescribeAcls = api({
  name: "DescribeAcls",
  key: 29,
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    resourceTypeFilter: t.int8,
    resourceNameFilter: t.string.nullable(),
    patternTypeFilter: t.int8.default(3), // KIP-290.
    principalFilter: t.string.nullable(),
    hostFilter: t.string.nullable(),
    operation: t.int8,
    permissionType: t.int8,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    resources: t.array({
      resourceType: t.int8,
      resourceName: t.string,
      patternType: t.int8.default(3),
      acls: t.array({
        principal: t.string,
        host: t.string,
        operation: t.int8,
        permissionType: t.int8,
      }),
    }),
  },
});

export type DescribeAclsRequest = RequestOf<typeof DescribeAcls>;
export type DescribeAclsResponse = ResponseOf<typeof DescribeAcls>;
