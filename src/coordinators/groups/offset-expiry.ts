import { type ClassicGroup, consumerProtocolType } from "./group.ts";
import type { OffsetEntry } from "./group-offsets.ts";
import type { GroupShard } from "./group-shard.ts";
import { removeGroup, removeOffsets } from "./removal.ts";

/**
 * Forgets offsets whose retention is over, and empty groups that are left without any. A failed append
 * leaves them for the next time.
 */
export async function expireOffsets(shard: GroupShard): Promise<void> {
  for (const group of [...shard.groups.values()]) {
    if (shard.status !== "active") return;
    if (group.state === "Dead") continue; // Removed while an earlier group's append was under way.
    await removeOffsets(shard, group, expired(group, shard));
    if (isForgotten(shard, group)) await removeGroup(shard, group);
  }
}

function expired(group: ClassicGroup, shard: GroupShard): OffsetEntry[] {
  const since = retentionStart(group);
  if (!since) return [];
  const nowMs = shard.nowMs();
  const { offsetsRetentionMs } = shard.config;
  return [...group.offsets.entries()].filter((entry) => {
    if (group.offsets.isPending(entry) || group.offsets.isUnstable(entry)) return false;
    const { expireTimestampMs } = entry.committed;
    const startMs = since(entry);
    if (startMs === null) return false;
    return expireTimestampMs === null ? nowMs - startMs >= offsetsRetentionMs : nowMs >= expireTimestampMs;
  });
}

/** Where the retention of an offset begins to count, null while it does not; undefined when none of the group's does. */
function retentionStart(group: ClassicGroup): ((entry: OffsetEntry) => number | null) | undefined {
  // Consumers that only store offsets: nobody but the commits themselves shows that they live.
  if (group.protocolType === null) return ({ committed }) => committed.commitTimestampMs;
  if (group.state === "Empty") {
    // An offset that a tool set later than that counts from then, or it would be gone before its use.
    const emptySinceMs = group.stateTimestampMs ?? 0;
    return ({ committed }) => Math.max(emptySinceMs, committed.commitTimestampMs);
  }
  const { subscribedTopics } = group;
  if (group.state === "Stable" && group.protocolType === consumerProtocolType && subscribedTopics) {
    return ({ topic, committed }) => (subscribedTopics.has(topic) ? null : committed.commitTimestampMs);
  }
  return undefined;
}

function isForgotten(shard: GroupShard, group: ClassicGroup): boolean {
  return (
    shard.status === "active" &&
    group.state === "Empty" &&
    group.offsets.isEmpty &&
    group.pendingMembers.size === 0
  );
}
