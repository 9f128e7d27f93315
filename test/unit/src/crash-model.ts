import { expect } from "vitest";
import { Metadata } from "#protocol/messages/metadata.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { type BrokerWorld, batchOf } from "./broker-world.ts";

/** A batch that an idempotent producer has sent; it goes on sending it until it is answered. */
export interface SentBatch {
  readonly baseSequence: number;
  readonly values: readonly string[];
  /** Undefined while unanswered. */
  baseOffset: number | undefined;
}

/** What stands for a value in comparisons: batches have checksums, and failures stay readable. */
export function keyOf(value: string): string {
  return `${value.slice(0, value.indexOf("-"))}:${value.length}`;
}

/** What clients know of one partition: every promise that the broker has made. */
export class PartitionModel {
  /** Offset → key of the value, of all that was acknowledged. */
  readonly acknowledged = new Map<number, string>();
  /** Keys of the values that were sent, answered or not. */
  readonly sent = new Set<string>();
  /** Of the partition's one idempotent producer, in order. */
  readonly batches: SentBatch[] = [];
  producerId = -1;
  nextOffset = 0;
  startOffset = 0;
  leaderEpoch = -1;

  acknowledge(baseOffset: number, values: readonly string[]): void {
    for (const [at, value] of values.entries()) this.acknowledged.set(baseOffset + at, keyOf(value));
    this.nextOffset = Math.max(this.nextOffset, baseOffset + values.length);
  }

  bytesOf({ baseSequence, values }: SentBatch): Uint8Array {
    return batchOf(values, { producerId: this.producerId, producerEpoch: 0, baseSequence });
  }
}

/** One life of a topic; made again it is another. */
export interface TopicModel {
  readonly name: string;
  readonly partitions: readonly PartitionModel[];
  /** Undefined until its creation was answered. */
  topicId: string | undefined;
  isDeletionSent: boolean;
}

/** All that was promised to the clients of one broker, over crashes. */
export class BrokerModel {
  /** Topics that are there, or may be. */
  readonly topics = new Map<string, TopicModel>();
  /** Names whose topics are gone for certain. */
  readonly deletedIds = new Set<string>();
  /** The last committed offset that was answered, and those sent after it. */
  committed: { answered: number; sent: number[] } = { answered: -1, sent: [] };

  newTopic(name: string, partitionCount: number): TopicModel {
    const topic: TopicModel = {
      name,
      partitions: Array.from({ length: partitionCount }, () => new PartitionModel()),
      topicId: undefined,
      isDeletionSent: false,
    };
    this.topics.set(name, topic);
    return topic;
  }

  /** Compares a broker after its start with what was promised, and learns what became of what was under way. */
  async check(world: BrokerWorld): Promise<void> {
    const { topics } = await world.call(Metadata, 12, { topics: null });
    const found = new Map(topics.map((topic) => [topic.name ?? "", topic]));
    for (const { topicId } of topics)
      expect(this.deletedIds, "a deleted topic is back").not.toContain(topicId);
    for (const topic of [...this.topics.values()]) {
      const answer = found.get(topic.name);
      if (!answer) {
        if (topic.topicId) expect(topic.isDeletionSent, `topic ${topic.name} is lost`).toBe(true);
        this.topics.delete(topic.name);
        continue;
      }
      if (topic.topicId) expect(answer.topicId).toBe(topic.topicId);
      topic.topicId = answer.topicId;
      // What was asked for and not carried out never comes later.
      topic.isDeletionSent = false;
      expect(answer.partitions).toHaveLength(topic.partitions.length);
      for (const { partitionIndex, leaderEpoch, errorCode } of answer.partitions) {
        expect(errorCode).toBe(0);
        const partition = topic.partitions[partitionIndex];
        expect(leaderEpoch, "the leader epoch grows with each start").toBeGreaterThan(
          partition?.leaderEpoch ?? 0,
        );
        if (partition) partition.leaderEpoch = leaderEpoch;
      }
      await this.#checkRecords(world, topic);
    }
    await this.#checkCommitted(world);
  }

  async #checkRecords(world: BrokerWorld, { name, partitions }: TopicModel): Promise<void> {
    for (const [index, partition] of partitions.entries()) {
      const where = `${name}-${index}`;
      const logStartOffset = await world.startOffset(name, index);
      expect(logStartOffset, `${where}: the start goes back`).toBeGreaterThanOrEqual(partition.startOffset);
      partition.startOffset = logStartOffset;
      const answer = await world.read(name, { partition: index, offset: logStartOffset });
      const { errorCode, highWatermark } = answer;
      const values = answer.values.map(({ offset, value }) => ({ offset, value: keyOf(value) }));
      expect(errorCode, where).toBe(0);
      expect(highWatermark, `${where}: acknowledged data is gone`).toBeGreaterThanOrEqual(
        partition.nextOffset,
      );
      const readable = values.filter(({ offset }) => offset >= logStartOffset);
      expect(readable.map(({ offset }) => offset)).toEqual(
        Array.from({ length: highWatermark - logStartOffset }, (_, at) => logStartOffset + at),
      );
      const byOffset = new Map(values.map(({ offset, value }) => [offset, value]));
      for (const [offset, value] of partition.acknowledged) {
        if (offset >= logStartOffset) expect(byOffset.get(offset), `${where}@${offset}`).toBe(value);
      }
      for (const { value } of values) expect(partition.sent, `${where}: never sent`).toContain(value);
      this.#checkSequence(where, partition, values);
    }
  }

  #checkSequence(where: string, partition: PartitionModel, values: readonly { value: string }[]): void {
    const sequenced = partition.batches.flatMap((batch) => batch.values.map(keyOf));
    const places = new Map(sequenced.map((value, at) => [value, at]));
    const order = values.flatMap(({ value }) => places.get(value) ?? []);
    expect(order, `${where}: once each, in the order of the producer`).toEqual(
      [...new Set(order)].sort((a, b) => a - b),
    );
  }

  async #checkCommitted(world: BrokerWorld): Promise<void> {
    if (this.committed.answered < 0 && this.committed.sent.length === 0) return;
    const { groups } = await world.call(OffsetFetch, 8, {
      groups: [{ groupId: "g", topics: [{ name: "plain", partitionIndexes: [0] }] }],
      requireStable: false,
    });
    expect(groups[0]?.errorCode).toBe(0);
    const offset = groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -2;
    expect([this.committed.answered, ...this.committed.sent]).toContain(offset);
    this.committed = { answered: offset, sent: [] };
  }
}
