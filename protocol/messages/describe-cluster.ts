import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells the brokers, the controller and the id of the cluster (KIP-700). */
export const DescribeCluster = api({
  name: "DescribeCluster",
  key: 60,
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: t.boolean,
    endpointType: t.int8.since(1).default(1), // KIP-919: 1 brokers, 2 controllers.
    includeFencedBrokers: t.boolean.since(2), // KIP-1073.
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    endpointType: t.int8.since(1).default(1),
    clusterId: t.string,
    controllerId: t.int32.default(-1),
    brokers: t.array({
      brokerId: t.int32,
      host: t.string,
      port: t.int32,
      rack: t.string.nullable(),
      isFenced: t.boolean.since(2),
    }),
    clusterAuthorizedOperations: t.int32.default(-0x8000_0000),
  },
});

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>;
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>;
