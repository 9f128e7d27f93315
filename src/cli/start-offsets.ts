import type { Cluster } from "./client/cluster.ts";
import type { CommittedOffset } from "./client/group-offsets.ts";
import { listOffsets, specialTimes } from "./client/offsets.ts";
import { type PartitionLeaders, partitionKey, type TopicPartition } from "./client/partition-leaders.ts";
import type { Place } from "./place.ts";

/**
 * The offset that a place means in each partition, within what the partition holds. A shift counts from `base`, which
 * is the end unless given: -10 is ten records back.
 */
export async function resolvePlace(
  cluster: Cluster,
  leaders: PartitionLeaders,
  request: {
    readonly place: Place;
    readonly partitions: readonly TopicPartition[];
    readonly base?: ReadonlyMap<string, number>;
  },
): Promise<readonly CommittedOffset[]> {
  const { place, partitions, base } = request;
  if (partitions.length === 0) return [];
  if (place.kind === "time") {
    const found = await listOffsets(cluster, leaders, { partitions, timestampMs: place.timestampMs });
    return partitions.map((one) => ({ ...one, offset: found.get(partitionKey(one)) ?? 0 }));
  }
  const starts = await listOffsets(cluster, leaders, { partitions, timestampMs: specialTimes.beginning });
  const ends = await listOffsets(cluster, leaders, { partitions, timestampMs: specialTimes.end });
  return partitions.map((one) => {
    const key = partitionKey(one);
    const start = starts.get(key) ?? 0;
    const end = ends.get(key) ?? start;
    const wanted = place.kind === "offset" ? place.offset : (base?.get(key) ?? end) + place.by;
    return { ...one, offset: Math.min(Math.max(wanted, start), end) };
  });
}
