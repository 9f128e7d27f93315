import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Starts and cancels moves of partitions to other replicas (KIP-455). */
export const AlterPartitionReassignments = api({
  name: "AlterPartitionReassignments",
  key: 45,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    timeoutMs: t.int32.default(60000),
    allowReplicationFactorChange: t.boolean.since(1).default(true), // KIP-860.
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        replicas: t.array(t.int32).nullable(), // Null cancels the move.
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    allowReplicationFactorChange: t.boolean.since(1).default(true).ignorable(),
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    responses: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
      }),
    }),
  },
});

export type AlterPartitionReassignmentsRequest = RequestOf<typeof AlterPartitionReassignments>;
export type AlterPartitionReassignmentsResponse = ResponseOf<typeof AlterPartitionReassignments>;
