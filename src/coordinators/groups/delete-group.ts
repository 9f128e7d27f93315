import { ErrorCode } from "#protocol/error-codes.ts";
import type { GroupShard } from "./group-shard.ts";
import { removeGroup } from "./removal.ts";

/** Deletes a group without members, and all that it committed; resolves once that is durable. */
export async function deleteGroup(shard: GroupShard, groupId: string): Promise<ErrorCode> {
  const group = shard.find(groupId);
  if (!group) return ErrorCode.groupIdNotFound;
  if (group.state !== "Empty") return ErrorCode.nonEmptyGroup;
  return removeGroup(shard, group);
}
