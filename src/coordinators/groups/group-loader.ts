import { ClassicGroup } from "./group.ts";
import { GroupMember } from "./group-member.ts";
import type { CommittedOffset, TopicPartition } from "./group-offsets.ts";
import { type GroupMetadata, readGroupRecord } from "./group-records.ts";
import type { GroupShard } from "./group-shard.ts";
import { copyOf } from "./joining.ts";
import { restartSession, startRebalance } from "./rebalance.ts";

interface LoadedGroup {
  metadata: GroupMetadata | null;
  /** By topic, then partition. */
  readonly offsets: Map<string, Map<number, CommittedOffset>>;
}

/** What the log says of each group so far: the last record of each key counts. */
type LoadedGroups = Map<string, LoadedGroup>;

/**
 * Reads the partition's log and makes its groups as they last were. Sessions of members start anew, because
 * nobody could heartbeat while the log was read. Rejects with what the log or a record's decoder rejects with.
 */
export async function loadShard(shard: GroupShard): Promise<void> {
  const loaded: LoadedGroups = new Map();
  await shard.environment.log.load(shard.partition, (key, value) => {
    if (shard.status === "loading") replay(loaded, key, value);
  });
  if (shard.status !== "loading") return; // Resigned meanwhile.

  for (const [groupId, { metadata, offsets }] of loaded) {
    if (metadata === null && offsets.size === 0) continue;
    const group = makeGroup(groupId, metadata);
    for (const [topic, partitions] of offsets) {
      for (const [partition, committed] of partitions) group.offsets.restore({ topic, partition }, committed);
    }
    shard.put(group);
  }
  shard.status = "active";
  for (const group of [...shard.groups.values()]) wake(shard, group);
}

function replay(loaded: LoadedGroups, key: Uint8Array, value: Uint8Array | null): void {
  const fact = readGroupRecord(key, value);
  switch (fact.kind) {
    case "offset":
      replayOffset(groupOf(loaded, fact.groupId), fact.at, fact.committed);
      break;
    case "group":
      groupOf(loaded, fact.groupId).metadata = fact.metadata && owned(fact.metadata);
      break;
    case "unknown":
      break;
    default:
      fact satisfies never;
  }
}

function replayOffset(
  group: LoadedGroup,
  { topic, partition }: TopicPartition,
  committed: CommittedOffset | null,
): void {
  let partitions = group.offsets.get(topic);
  if (committed) {
    if (!partitions) {
      partitions = new Map();
      group.offsets.set(topic, partitions);
    }
    partitions.set(partition, committed);
    return;
  }
  partitions?.delete(partition);
  if (partitions?.size === 0) group.offsets.delete(topic);
}

function groupOf(loaded: LoadedGroups, groupId: string): LoadedGroup {
  let group = loaded.get(groupId);
  if (!group) {
    group = { metadata: null, offsets: new Map() };
    loaded.set(groupId, group);
  }
  return group;
}

/** The same with bytes of its own: what is loaded outlives the batch that it was read from. */
function owned(metadata: GroupMetadata): GroupMetadata {
  const members = metadata.members.map((member) => ({
    ...member,
    subscription: copyOf(member.subscription),
    assignment: copyOf(member.assignment),
  }));
  return { ...metadata, members };
}

function makeGroup(groupId: string, metadata: GroupMetadata | null): ClassicGroup {
  // Offsets alone are a group that never had members.
  if (!metadata) return new ClassicGroup(groupId, "Empty", null);

  const { currentStateTimestamp, members } = metadata;
  const state = members.length === 0 ? "Empty" : "Stable";
  const group = new ClassicGroup(groupId, state, currentStateTimestamp === -1 ? null : currentStateTimestamp);
  group.generationId = metadata.generation;
  group.protocolName = metadata.protocol;
  for (const record of members) {
    const member = makeMember(record, metadata.protocol);
    group.add(member, metadata.protocolType);
    member.assignment = record.assignment;
  }
  group.protocolType = metadata.protocolType === "" ? null : metadata.protocolType;
  if (metadata.leader !== null && group.members.has(metadata.leader)) group.leaderId = metadata.leader;
  group.refreshSubscription();
  return group;
}

function makeMember(record: GroupMetadata["members"][number], protocol: string | null): GroupMember {
  const timeouts = {
    sessionTimeoutMs: record.sessionTimeout,
    rebalanceTimeoutMs: record.rebalanceTimeout === -1 ? record.sessionTimeout : record.rebalanceTimeout,
  };
  // The log keeps only what the members offered for the protocol that was elected.
  return new GroupMember(record, timeouts, [{ name: protocol ?? "", metadata: record.subscription }]);
}

function wake(shard: GroupShard, group: ClassicGroup): void {
  for (const member of group.members.values()) restartSession(shard, group, member);
  // The limit may have been lowered meanwhile: rejoining decides who stays.
  if (group.members.size > shard.config.memberCountMax) startRebalance(shard, group);
}
