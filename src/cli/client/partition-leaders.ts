import { ErrorCode } from "#protocol/error-codes.ts";
import { RefusedError } from "./client-errors.ts";
import { type Cluster, isPassing, type TopicMetadata } from "./cluster.ts";

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition as the key of a map; a topic's name has no "/". */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Orders partitions as tables show them. */
export function comparePartitions(left: TopicPartition, right: TopicPartition): number {
  if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1;
  return left.partition - right.partition;
}

/** Which broker leads which partition of some topics, as of the last refresh. */
export class PartitionLeaders {
  readonly #cluster: Cluster;
  readonly #topics = new Map<string, ReadonlyMap<number, number>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Learns the leaders of these topics; each must exist unless `mayCreate`. @throws RefusedError */
  async learn(topics: readonly string[], { mayCreate = false } = {}): Promise<void> {
    const action = topics.length === 1 ? `use topic "${topics[0]}"` : "use the topics";
    // A topic that is being created may be unknown, or without leaders, for a moment; one that is not, stays so.
    const gives = mayCreate ? [] : [ErrorCode.unknownTopicOrPartition];
    await this.#cluster.retry(async () => {
      const answer = await this.#cluster.metadata(topics, { mayCreate });
      for (const topic of answer.topics) this.#take(topic, action);
    }, gives);
  }

  /** Partitions of a topic that was learnt, by number. */
  partitionsOf(topic: string): readonly number[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])].sort((left, right) => left - right);
  }

  /** @throws RefusedError for a partition that the topic lacks */
  leaderOf({ topic, partition }: TopicPartition): number {
    const leader = this.#topics.get(topic)?.get(partition);
    if (leader !== undefined) return leader;
    const count = this.#topics.get(topic)?.size ?? 0;
    throw new RefusedError(
      `use partition ${partition} of topic "${topic}"`,
      ErrorCode.unknownTopicOrPartition,
      `the topic has partitions 0 to ${count - 1}`,
    );
  }

  /** Groups partitions by their leader's node id. */
  byLeader<P extends TopicPartition>(partitions: Iterable<P>): ReadonlyMap<number, readonly P[]> {
    return Map.groupBy(partitions, (partition) => this.leaderOf(partition));
  }

  /** Learns all leaders again after an error that a new leader may explain; leaves errors to the next request. */
  async relearn(): Promise<void> {
    try {
      await this.learn([...this.#topics.keys()]);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }

  #take({ name, errorCode, partitions }: TopicMetadata, action: string): void {
    if (errorCode !== ErrorCode.none || name === null) {
      throw new RefusedError(name === null ? action : `use topic "${name}"`, errorCode);
    }
    const leaderless = partitions.find(({ leaderId }) => leaderId < 0);
    if (leaderless) {
      throw new RefusedError(
        `use partition ${leaderless.partitionIndex} of topic "${name}"`,
        ErrorCode.leaderNotAvailable,
      );
    }
    this.#topics.set(
      name,
      new Map(partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId])),
    );
  }
}
