import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup } from "./group.ts";
import type { TopicPartition } from "./group-offsets.ts";
import { groupTombstone, offsetTombstone } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";

/** Deletes offsets from the log, then from memory; offsets that are committed meanwhile stay. */
export async function removeOffsets(
  shard: GroupShard,
  group: ClassicGroup,
  places: readonly TopicPartition[],
): Promise<ErrorCode> {
  if (places.length === 0) return ErrorCode.none;
  const finish = group.offsets.beginRemoval(places);
  const errorCode = await shard.appendInBatches(places.map((at) => offsetTombstone(group.id, at)));
  if (errorCode === ErrorCode.none) finish();
  return errorCode;
}

/** Deletes an empty group with all that it committed. It is gone at once, and back if the log refuses. */
export async function removeGroup(shard: GroupShard, group: ClassicGroup): Promise<ErrorCode> {
  const { stateTimestampMs } = group;
  const tombstones = Array.from(group.offsets.touched(), (at) => offsetTombstone(group.id, at));
  tombstones.push(groupTombstone(group.id));
  shard.bury(group);

  const errorCode = await shard.appendInBatches(tombstones);
  const isReplaced = shard.find(group.id) !== undefined;
  if (errorCode !== ErrorCode.none && shard.status === "active" && !isReplaced) {
    group.revive(stateTimestampMs);
    shard.put(group);
  }
  return errorCode;
}
