import type { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import type { DescribeGroups } from "#protocol/messages/describe-groups.ts";
import type { Heartbeat } from "#protocol/messages/heartbeat.ts";
import type { JoinGroup } from "#protocol/messages/join-group.ts";
import type { LeaveGroup } from "#protocol/messages/leave-group.ts";
import type { ListGroups } from "#protocol/messages/list-groups.ts";
import type { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import type { OffsetDelete } from "#protocol/messages/offset-delete.ts";
import type { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import type { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { Api, ResponseOutput } from "#protocol/schema/api.ts";

/** A response with every field but the throttle time, which is the connection's affair. */
type Answer<A extends { response: Api["response"] }> = Omit<ResponseOutput<A>, "throttleTimeMs">;

/** What the coordinator answers to JoinGroup; the others follow the same rule. */
export type JoinGroupAnswer = Answer<typeof JoinGroup>;
export type SyncGroupAnswer = Answer<typeof SyncGroup>;
export type HeartbeatAnswer = Answer<typeof Heartbeat>;
export type LeaveGroupAnswer = Answer<typeof LeaveGroup>;
export type DescribeGroupsAnswer = Answer<typeof DescribeGroups>;
export type ListGroupsAnswer = Answer<typeof ListGroups>;
export type DeleteGroupsAnswer = Answer<typeof DeleteGroups>;
export type OffsetCommitAnswer = Answer<typeof OffsetCommit>;
export type OffsetFetchAnswer = Answer<typeof OffsetFetch>;
export type OffsetDeleteAnswer = Answer<typeof OffsetDelete>;
