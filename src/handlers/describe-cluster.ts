import { ErrorCode } from "#protocol/error-codes.ts";
import type { DescribeClusterRequest, DescribeClusterResponse } from "#protocol/messages/describe-cluster.ts";
import { clusterOperations } from "./authorized-operations.ts";
import { brokerEndpoints } from "./broker-endpoints.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Which endpoints a client may ask for (KIP-919). */
const endpointType = { brokers: 1, controllers: 2 } as const;

/** Describes the brokers (KIP-700). */
export function describeCluster(
  broker: ServedBroker,
  request: DescribeClusterRequest,
  context: RequestContext,
): DescribeClusterResponse {
  const empty = { clusterId: "", controllerId: -1, brokers: [] };
  if (request.endpointType === endpointType.controllers) {
    const errorMessage = "The request was sent to an endpoint of the wrong type";
    return { ...empty, errorCode: ErrorCode.mismatchedEndpointType, errorMessage };
  }
  if (request.endpointType !== endpointType.brokers) {
    const errorMessage = `Unsupported endpoint type ${request.endpointType}`;
    return { ...empty, errorCode: ErrorCode.unsupportedEndpointType, errorMessage };
  }
  return {
    errorCode: ErrorCode.none,
    errorMessage: null,
    endpointType: endpointType.brokers,
    clusterId: broker.metadata.image.clusterId,
    controllerId: broker.controllerId,
    brokers: brokerEndpoints(broker, context.connection.listenerName, {
      withFenced: request.includeFencedBrokers,
    }).map(({ nodeId, ...place }) => ({ brokerId: nodeId, ...place })),
    ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: clusterOperations }),
  };
}
