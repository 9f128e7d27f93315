import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the moves of partitions that are under way (KIP-455). */
export const ListPartitionReassignments = api({
  name: "ListPartitionReassignments",
  key: 46,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    timeoutMs: t.int32.default(60000),
    topics: t
      .array({
        name: t.string,
        partitionIndexes: t.array(t.int32),
      })
      .nullable(),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        replicas: t.array(t.int32),
        addingReplicas: t.array(t.int32),
        removingReplicas: t.array(t.int32),
      }),
    }),
  },
});

export type ListPartitionReassignmentsRequest = RequestOf<typeof ListPartitionReassignments>;
export type ListPartitionReassignmentsResponse = ResponseOf<typeof ListPartitionReassignments>;
