import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the resources that have configuration (KIP-1142). */
export const ListConfigResources = api({
  name: "ListConfigResources",
  key: 74,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    resourceTypes: t.array(t.int8).since(1), // KIP-1142: empty means all.
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    configResources: t.array({
      resourceName: t.string,
      resourceType: t.int8.since(1).default(16).ignorable(),
    }),
  },
});

export type ListConfigResourcesRequest = RequestOf<typeof ListConfigResources>;
export type ListConfigResourcesResponse = ResponseOf<typeof ListConfigResources>;
