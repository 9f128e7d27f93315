import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Creates access rules. */
export const CreateAcls = api({
  name: "CreateAcls",
  key: 30,
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    creations: t.array({
      resourceType: t.int8,
      resourceName: t.string,
      resourcePatternType: t.int8.default(3), // KIP-290.
      principal: t.string,
      host: t.string,
      operation: t.int8,
      permissionType: t.int8,
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      errorCode: t.errorCode,
      errorMessage: t.string.nullable(),
    }),
  },
});

export type CreateAclsRequest = RequestOf<typeof CreateAcls>;
export type CreateAclsResponse = ResponseOf<typeof CreateAcls>;
