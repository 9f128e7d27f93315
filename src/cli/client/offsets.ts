import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { expectAccepted } from "./client-errors.ts";
import type { Cluster } from "./cluster.ts";
import { type PartitionLeaders, partitionKey, type TopicPartition } from "./partition-leaders.ts";

/** What ListOffsets takes in place of a time: one past the last record, and the first record. */
export const specialTimes = { end: -1, beginning: -2 } as const;

/**
 * The offset of the first record at or after a time (ms since 1970, or one of `specialTimes`) in each partition, by
 * `partitionKey`; the end where no record is that new. @throws RefusedError
 */
export async function listOffsets(
  cluster: Cluster,
  leaders: PartitionLeaders,
  { partitions, timestampMs }: { partitions: readonly TopicPartition[]; timestampMs: number },
): Promise<ReadonlyMap<string, number>> {
  return await cluster.retry(async () => {
    try {
      return await askLeaders(cluster, leaders, { partitions, timestampMs });
    } catch (error) {
      await leaders.relearn();
      throw error;
    }
  });
}

async function askLeaders(
  cluster: Cluster,
  leaders: PartitionLeaders,
  { partitions, timestampMs }: { partitions: readonly TopicPartition[]; timestampMs: number },
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const newer: TopicPartition[] = [];
  for (const [nodeId, led] of leaders.byLeader(partitions)) {
    const connection = await cluster.connectionTo(nodeId);
    const topics = [...Map.groupBy(led, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition, timestamp: timestampMs })),
    }));
    const answer = await connection.request(ListOffsets, { replicaId: -1, isolationLevel: 0, topics });
    for (const { name: topic, partitions: answered } of answer.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of answered) {
        expectAccepted(`list offsets of partition ${partition} of topic "${topic}"`, errorCode);
        if (offset < 0) newer.push({ topic, partition });
        else found.set(partitionKey({ topic, partition }), offset);
      }
    }
  }
  if (newer.length === 0 || timestampMs === specialTimes.end) return found;
  const ends = await askLeaders(cluster, leaders, { partitions: newer, timestampMs: specialTimes.end });
  return new Map([...found, ...ends]);
}
