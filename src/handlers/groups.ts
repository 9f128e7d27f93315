import { ErrorCode } from "#protocol/error-codes.ts";
import type { DeleteGroupsRequest, DeleteGroupsResponse } from "#protocol/messages/delete-groups.ts";
import type { DescribeGroupsRequest, DescribeGroupsResponse } from "#protocol/messages/describe-groups.ts";
import type { HeartbeatRequest, HeartbeatResponse } from "#protocol/messages/heartbeat.ts";
import type { JoinGroupRequest, JoinGroupResponse } from "#protocol/messages/join-group.ts";
import type { LeaveGroupRequest, LeaveGroupResponse } from "#protocol/messages/leave-group.ts";
import type { ListGroupsRequest, ListGroupsResponse } from "#protocol/messages/list-groups.ts";
import type { OffsetCommitRequest, OffsetCommitResponse } from "#protocol/messages/offset-commit.ts";
import type { OffsetDeleteRequest, OffsetDeleteResponse } from "#protocol/messages/offset-delete.ts";
import type { OffsetFetchRequest, OffsetFetchResponse } from "#protocol/messages/offset-fetch.ts";
import type { SyncGroupRequest, SyncGroupResponse } from "#protocol/messages/sync-group.ts";
import { groupOperations } from "./authorized-operations.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

/*
 * The APIs of classic groups. The coordinator takes the wire's own shapes, so that these only hand over.
 */

/** Joins a group and waits for its next generation. */
export function joinGroup(
  broker: ServedBroker,
  request: JoinGroupRequest,
  context: RequestContext,
): Promise<JoinGroupResponse> {
  return broker.groups.joinGroup(request, {
    version: context.apiVersion,
    clientId: context.clientId ?? "",
    clientHost: `/${context.connection.remoteAddress}`,
  });
}

/** Hands in, or waits for, the assignment of a generation. */
export function syncGroup(
  broker: ServedBroker,
  request: SyncGroupRequest,
  context: RequestContext,
): Promise<SyncGroupResponse> {
  // Before anything else, as in Kafka: from version 5 on a member has to say what it believes (KIP-559).
  const isIncomplete = request.protocolType === null || request.protocolName === null;
  if (context.apiVersion >= 5 && isIncomplete) {
    return Promise.resolve({ errorCode: ErrorCode.inconsistentGroupProtocol });
  }
  return broker.groups.syncGroup(request, { version: context.apiVersion });
}

/** Keeps a member alive and tells it when to rejoin. */
export function heartbeat(broker: ServedBroker, request: HeartbeatRequest): HeartbeatResponse {
  return broker.groups.heartbeat(request);
}

/** Takes members out of a group. */
export function leaveGroup(
  broker: ServedBroker,
  request: LeaveGroupRequest,
  context: RequestContext,
): LeaveGroupResponse {
  return broker.groups.leaveGroup(request, { version: context.apiVersion });
}

/** Describes groups with their members. */
export function describeGroups(
  broker: ServedBroker,
  request: DescribeGroupsRequest,
  context: RequestContext,
): DescribeGroupsResponse {
  const answer = broker.groups.describeGroups(request, { version: context.apiVersion });
  if (!request.includeAuthorizedOperations) return answer;
  const groups = answer.groups?.map((group) =>
    group.errorCode === ErrorCode.none ? { ...group, authorizedOperations: groupOperations } : group,
  );
  return { ...answer, ...(groups && { groups }) };
}

/** Lists this node's groups. */
export function listGroups(broker: ServedBroker, request: ListGroupsRequest): ListGroupsResponse {
  return broker.groups.listGroups(request);
}

/** Removes empty groups with their offsets. */
export function deleteGroups(
  broker: ServedBroker,
  request: DeleteGroupsRequest,
): Promise<DeleteGroupsResponse> {
  return broker.groups.deleteGroups(request);
}

/** Stores how far a group has read. */
export function offsetCommit(
  broker: ServedBroker,
  request: OffsetCommitRequest,
  context: RequestContext,
): Promise<OffsetCommitResponse> {
  return broker.groups.commitOffsets(request, { version: context.apiVersion });
}

/** Tells how far groups have read. */
export function offsetFetch(
  broker: ServedBroker,
  request: OffsetFetchRequest,
  context: RequestContext,
): OffsetFetchResponse {
  return broker.groups.fetchOffsets(request, { version: context.apiVersion });
}

/** Forgets a group's offsets of topics that it does not read any more (KIP-496). */
export function offsetDelete(
  broker: ServedBroker,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponse> {
  return broker.groups.deleteOffsets(request);
}
