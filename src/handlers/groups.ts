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

/** What a group was told, or committed, last: only the others know that no later coordinator has told or stored more. */
const byAsking = { isStrict: true } as const;
/** What ends in a write, or with a session that is longer than a coordinator lasts alone, time decides. */
const byTime = { isStrict: false } as const;

/** Joins a group and waits for its next generation. */
export async function joinGroup(
  broker: ServedBroker,
  request: JoinGroupRequest,
  context: RequestContext,
): Promise<JoinGroupResponse> {
  await broker.groups.settle([request.groupId], byTime);
  return broker.groups.joinGroup(request, {
    version: context.apiVersion,
    clientId: context.clientId ?? "",
    clientHost: `/${context.connection.remoteAddress}`,
  });
}

/** Hands in, or waits for, the assignment of a generation. */
export async function syncGroup(
  broker: ServedBroker,
  request: SyncGroupRequest,
  context: RequestContext,
): Promise<SyncGroupResponse> {
  // Before anything else, as in Kafka: from version 5 on a member has to say what it believes (KIP-559).
  const isIncomplete = request.protocolType === null || request.protocolName === null;
  if (context.apiVersion >= 5 && isIncomplete) {
    return { errorCode: ErrorCode.inconsistentGroupProtocol };
  }
  await broker.groups.settle([request.groupId], byTime);
  return broker.groups.syncGroup(request, { version: context.apiVersion });
}

/** Keeps a member alive and tells it when to rejoin. */
export function heartbeat(
  broker: ServedBroker,
  request: HeartbeatRequest,
): HeartbeatResponse | Promise<HeartbeatResponse> {
  const answer = (): HeartbeatResponse => broker.groups.heartbeat(request);
  return broker.groups.settle([request.groupId], byTime)?.then(answer) ?? answer();
}

/** Takes members out of a group. */
export async function leaveGroup(
  broker: ServedBroker,
  request: LeaveGroupRequest,
  context: RequestContext,
): Promise<LeaveGroupResponse> {
  await broker.groups.settle([request.groupId], byTime);
  return broker.groups.leaveGroup(request, { version: context.apiVersion });
}

/** Describes groups with their members. */
export async function describeGroups(
  broker: ServedBroker,
  request: DescribeGroupsRequest,
  context: RequestContext,
): Promise<DescribeGroupsResponse> {
  await broker.groups.settle(request.groups, byAsking);
  const answer = broker.groups.describeGroups(request, { version: context.apiVersion });
  if (!request.includeAuthorizedOperations) return answer;
  const groups = answer.groups?.map((group) =>
    group.errorCode === ErrorCode.none ? { ...group, authorizedOperations: groupOperations } : group,
  );
  return { ...answer, ...(groups && { groups }) };
}

/** Lists this node's groups. */
export async function listGroups(
  broker: ServedBroker,
  request: ListGroupsRequest,
): Promise<ListGroupsResponse> {
  await broker.groups.settleAll();
  return broker.groups.listGroups(request);
}

/** Removes empty groups with their offsets. */
export async function deleteGroups(
  broker: ServedBroker,
  request: DeleteGroupsRequest,
): Promise<DeleteGroupsResponse> {
  await broker.groups.settle(request.groupsNames, byTime);
  return broker.groups.deleteGroups(request);
}

/** Stores how far a group has read. */
export async function offsetCommit(
  broker: ServedBroker,
  request: OffsetCommitRequest,
  context: RequestContext,
): Promise<OffsetCommitResponse> {
  await broker.groups.settle([request.groupId], byTime);
  return broker.groups.commitOffsets(request, { version: context.apiVersion });
}

/** Tells how far groups have read. */
export async function offsetFetch(
  broker: ServedBroker,
  request: OffsetFetchRequest,
  context: RequestContext,
): Promise<OffsetFetchResponse> {
  const groupIds = context.apiVersion >= 8 ? request.groups.map(({ groupId }) => groupId) : [request.groupId];
  await broker.groups.settle(groupIds, byAsking);
  return broker.groups.fetchOffsets(request, { version: context.apiVersion });
}

/** Forgets a group's offsets of topics that it does not read any more (KIP-496). */
export async function offsetDelete(
  broker: ServedBroker,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponse> {
  await broker.groups.settle([request.groupId], byTime);
  return broker.groups.deleteOffsets(request);
}
