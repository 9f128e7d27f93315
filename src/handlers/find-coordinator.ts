import { ErrorCode } from "#protocol/error-codes.ts";
import type { FindCoordinatorRequest, FindCoordinatorResponse } from "#protocol/messages/find-coordinator.ts";
import { offsetsTopicName } from "../coordinators/offsets-topic.ts";
import { brokerEndpoints } from "./broker-endpoints.ts";
import { placeOf } from "./partition-place.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Response = FindCoordinatorResponse;
type Coordinator = NonNullable<Response["coordinators"]>[number];

const groupKeyType = 0;
/** Keys are asked for in lists from this version on (KIP-699). */
const firstVersionWithLists = 4;

/** Names the broker that coordinates a group. */
export async function findCoordinator(
  broker: ServedBroker,
  request: FindCoordinatorRequest,
  context: RequestContext,
): Promise<Response> {
  const isListed = context.apiVersion >= firstVersionWithLists;
  const keys = isListed ? request.coordinatorKeys : [request.key];
  const coordinators: Coordinator[] = [];
  for (const key of keys) coordinators.push(await coordinatorOf(broker, key, request.keyType, context));
  if (isListed) return { coordinators };

  const { errorCode, errorMessage, nodeId, host, port } = coordinators[0] ?? {};
  return { errorCode, errorMessage, nodeId, host, port } as Response;
}

async function coordinatorOf(
  broker: ServedBroker,
  key: string,
  keyType: number,
  { connection }: RequestContext,
): Promise<Coordinator> {
  const nowhere = { key, nodeId: -1, host: "", port: -1 };
  if (keyType !== groupKeyType) {
    return {
      ...nowhere,
      errorCode: ErrorCode.invalidRequest,
      errorMessage: "Only group coordinators are available",
    };
  }
  const errorCode = await broker.groupLog.ensureTopic();
  const leaderId = coordinatorId(broker, key);
  const node = brokerEndpoints(broker, connection.listenerName).find(({ nodeId }) => nodeId === leaderId);
  if (errorCode !== ErrorCode.none || !node) {
    return { ...nowhere, errorCode: ErrorCode.coordinatorNotAvailable, errorMessage: null };
  }
  const { nodeId, host, port } = node;
  return { key, nodeId, host, port, errorCode: ErrorCode.none, errorMessage: null };
}

/** The leader of the partition in which the group lives; -1 where there is none now. */
function coordinatorId(broker: ServedBroker, groupId: string): number {
  const topic = broker.metadata.image.topics.get(offsetsTopicName);
  const partition = topic?.partitions[broker.groups.partitionOf(groupId)];
  return partition ? placeOf(broker, offsetsTopicName, partition).leaderId : -1;
}
