import type { TopicPartition } from "./partition-leaders.ts";

/** One member and the topics it wants. */
export interface Subscriber {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/**
 * Kafka's "range" assignment: each topic's partitions in consecutive runs over its members in order of their ids,
 * the first members taking one more where it does not come out even.
 */
export function assignRanges(
  subscribers: readonly Subscriber[],
  partitionsOf: (topic: string) => readonly number[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const assigned = new Map<string, TopicPartition[]>(subscribers.map(({ memberId }) => [memberId, []]));
  const topics = new Set(subscribers.flatMap((subscriber) => subscriber.topics));
  for (const topic of [...topics].sort()) {
    const members = subscribers
      .filter((subscriber) => subscriber.topics.includes(topic))
      .map(({ memberId }) => memberId)
      .sort();
    const partitions = partitionsOf(topic);
    const share = Math.floor(partitions.length / members.length);
    const extra = partitions.length % members.length;
    members.forEach((memberId, index) => {
      const start = index * share + Math.min(index, extra);
      const count = share + (index < extra ? 1 : 0);
      const own = partitions.slice(start, start + count).map((partition) => ({ topic, partition }));
      assigned.get(memberId)?.push(...own);
    });
  }
  return assigned;
}
