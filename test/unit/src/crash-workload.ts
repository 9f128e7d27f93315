import { expect } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import type { BrokerWorld } from "./broker-world.ts";
import { batchOf } from "./broker-world.ts";
import {
  type BrokerModel,
  keyOf,
  type PartitionModel,
  type SentBatch,
  type TopicModel,
} from "./crash-model.ts";

/** Bytes of one value: a segment or journal file of 1 MiB holds a handful. */
const valueBytesMax = 150_000;
/** Batches that one producer has in flight. */
const inFlightMax = 5;

/** Topics that every run has, with their configs. */
const fixedTopics = [
  { name: "plain", partitionCount: 2, configs: {} },
  { name: "trimmed", partitionCount: 1, configs: { "segment.bytes": "1048576" } },
  {
    name: "retained",
    partitionCount: 1,
    configs: { "segment.bytes": "1048576", "retention.bytes": "2097152" },
  },
] as const;

/** Answers that say "not now" or "gone": nothing was promised. */
const noPromise: ReadonlySet<number> = new Set([
  ErrorCode.kafkaStorageError,
  ErrorCode.notLeaderOrFollower,
  ErrorCode.unknownTopicOrPartition,
]);

/** What clients do to a broker, as a seed decides; the model learns of each answer the moment it comes. */
export class CrashWorkload {
  readonly #world: BrokerWorld;
  readonly #model: BrokerModel;
  readonly #random: () => number;
  readonly #next: () => number;

  constructor(
    world: BrokerWorld,
    model: BrokerModel,
    { random, nextNumber }: { random: () => number; nextNumber: () => number },
  ) {
    this.#world = world;
    this.#model = model;
    this.#random = random;
    this.#next = nextNumber;
  }

  async run(steps: number): Promise<void> {
    const { clock } = this.#world;
    await clock.until(this.#prepare());
    for (let step = 0; step < steps; step++) {
      // One wait for the whole step: what is answered within it is noted the moment it comes.
      await clock.until(this.#step());
      if (this.#random() < 0.3) await clock.advance(this.#random() * 12_000);
      if (this.#random() < 0.04) await clock.advance(30_000);
    }
    await this.#proveAlive();
  }

  /** Room comes back by itself once clients hold still: no file of the journal is held for ever. */
  async #proveAlive(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      await this.#world.clock.advance(15_000);
      const partition = this.#model.topics.get("plain")?.partitions[0];
      const values = [`${this.#next()}-`.padEnd(250_000, "y")];
      for (const value of values) partition?.sent.add(keyOf(value));
      const produced = this.#world.produce("plain", batchOf(values));
      const { errorCode, baseOffset } = await this.#world.clock.until(produced);
      expect(errorCode, "the broker takes data again").toBe(0);
      partition?.acknowledge(baseOffset, values);
    }
  }

  /** Makes the fixed topics and sends again what was not answered before the last crash. */
  async #prepare(): Promise<void> {
    for (const { name, partitionCount, configs } of fixedTopics) {
      if (!this.#model.topics.has(name)) await this.#create(name, partitionCount, configs);
    }
    for (const { name, partitions } of this.#model.topics.values()) {
      for (const [index, partition] of partitions.entries()) {
        await this.#resend(name, index, partition);
      }
    }
    const { errorCode } = await this.#world.begin(FindCoordinator, 2, { key: "g", keyType: 0 });
    expect(errorCode).toBe(0);
  }

  async #step(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.5) await this.#produceSeveral();
    else if (dice < 0.62) await this.#produceSequenced();
    else if (dice < 0.7) await this.#trim();
    else if (dice < 0.82) await this.#commitOffset();
    else if (dice < 0.92) await this.#createOrDelete();
    else await this.#alterConfig();
  }

  async #produceSeveral(): Promise<void> {
    const count = 1 + Math.floor(this.#random() * 4);
    await Promise.all(Array.from({ length: count }, () => this.#producePlain()));
  }

  async #producePlain(): Promise<void> {
    const { name, index, partition } = this.#pick();
    const values = this.#values(1 + Math.floor(this.#random() * 3));
    for (const value of values) partition.sent.add(keyOf(value));
    const acks = this.#random() < 0.5 ? 1 : -1;
    const answer = await this.#world.produce(name, batchOf(values), { acks, partition: index });
    if (answer.errorCode === 0) partition.acknowledge(answer.baseOffset, values);
    else expect(noPromise).toContain(answer.errorCode);
  }

  async #produceSequenced(): Promise<void> {
    const { name, index, partition } = this.#pick();
    if (partition.producerId < 0) {
      const answer = await this.#world.begin(InitProducerId, 4, {
        transactionalId: null,
        transactionTimeoutMs: 1,
      });
      expect(answer.errorCode).toBe(0);
      partition.producerId = answer.producerId;
    }
    for (let left = 1 + Math.floor(this.#random() * inFlightMax); left > 0; left--) {
      const last = partition.batches.at(-1);
      const batch: SentBatch = {
        baseSequence: last ? last.baseSequence + last.values.length : 0,
        values: this.#values(1 + Math.floor(this.#random() * 2)),
        baseOffset: undefined,
      };
      for (const value of batch.values) partition.sent.add(keyOf(value));
      partition.batches.push(batch);
    }
    await this.#resend(name, index, partition);
  }

  /** All that is unanswered, in order and at once, behind the last answered batch: that one is a duplicate. */
  async #resend(name: string, index: number, partition: PartitionModel): Promise<void> {
    const firstOpen = partition.batches.findIndex(({ baseOffset }) => baseOffset === undefined);
    const from = (firstOpen < 0 ? partition.batches.length : firstOpen) - 1;
    const wanted = partition.batches.slice(Math.max(0, from));
    await Promise.all(wanted.map((batch) => this.#send(name, index, partition, batch)));
    // A refused batch makes those behind it out of order; they are sent again by a later step.
  }

  async #send(name: string, index: number, partition: PartitionModel, batch: SentBatch): Promise<void> {
    const bytes = partition.bytesOf(batch);
    const answer = await this.#world.produce(name, bytes, { partition: index });
    if (answer.errorCode === 0) {
      if (batch.baseOffset !== undefined) {
        expect(answer.baseOffset, "a duplicate gets the original offset").toBe(batch.baseOffset);
      }
      batch.baseOffset = answer.baseOffset;
      partition.acknowledge(answer.baseOffset, batch.values);
    } else {
      expect([...noPromise, ErrorCode.outOfOrderSequenceNumber]).toContain(answer.errorCode);
    }
  }

  async #trim(): Promise<void> {
    const topic = this.#model.topics.get("trimmed");
    const partition = topic?.partitions[0];
    if (!partition) return;
    const { startOffset, nextOffset } = partition;
    const offset = startOffset + Math.floor(this.#random() * (nextOffset - startOffset + 1));
    const { topics } = await this.#world.begin(DeleteRecords, 2, {
      topics: [{ name: "trimmed", partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1_000,
    });
    const answer = topics[0]?.partitions[0];
    expect(answer?.errorCode).toBe(0);
    expect(answer?.lowWatermark).toBeGreaterThanOrEqual(offset);
    partition.startOffset = Math.max(startOffset, answer?.lowWatermark ?? 0);
  }

  async #commitOffset(): Promise<void> {
    const { committed } = this.#model;
    const offset = this.#next();
    committed.sent.push(offset);
    const { topics } = await this.#world.begin(OffsetCommit, 8, {
      groupId: "g",
      topics: [
        {
          name: "plain",
          partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: "" }],
        },
      ],
    });
    const errorCode = topics[0]?.partitions[0]?.errorCode;
    if (errorCode === 0) this.#model.committed = { answered: offset, sent: [] };
    else expect([ErrorCode.coordinatorNotAvailable, ErrorCode.notCoordinator]).toContain(errorCode);
  }

  /** One name that comes and goes, and comes again at once. */
  async #createOrDelete(): Promise<void> {
    const topic = this.#model.topics.get("fleeting");
    if (!topic) {
      await this.#create("fleeting", 1 + Math.floor(this.#random() * 2), {});
      return;
    }
    topic.isDeletionSent = true;
    const { responses } = await this.#world.begin(DeleteTopics, 5, {
      topicNames: ["fleeting"],
      timeoutMs: 1_000,
    });
    expect(responses[0]?.errorCode).toBe(0);
    if (topic.topicId) this.#model.deletedIds.add(topic.topicId);
    this.#model.topics.delete("fleeting");
    if (this.#random() < 0.6) await this.#create("fleeting", 1, {});
  }

  async #create(
    name: string,
    partitionCount: number,
    configs: Readonly<Record<string, string>>,
  ): Promise<void> {
    const topic = this.#model.newTopic(name, partitionCount);
    const { topics } = await this.#world.begin(CreateTopics, 7, {
      topics: [
        {
          name,
          numPartitions: partitionCount,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
    });
    expect(topics[0]?.errorCode, topics[0]?.errorMessage ?? "").toBe(0);
    topic.topicId = topics[0]?.topicId;
    await this.#noteEpochs(topic);
  }

  async #noteEpochs(topic: TopicModel): Promise<void> {
    const { topics } = await this.#world.begin(Metadata, 12, { topics: [{ name: topic.name }] });
    for (const { partitionIndex, leaderEpoch, errorCode } of topics[0]?.partitions ?? []) {
      expect(errorCode).toBe(0);
      const partition = topic.partitions[partitionIndex];
      if (partition) partition.leaderEpoch = leaderEpoch;
    }
  }

  async #alterConfig(): Promise<void> {
    const { responses } = await this.#world.begin(IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: 2,
          resourceName: "plain",
          configs: [{ name: "retention.ms", configOperation: 0, value: `${this.#next()}000000` }],
        },
      ],
    });
    expect(responses[0]?.errorCode).toBe(0);
  }

  #pick(): { name: string; index: number; partition: PartitionModel } {
    const topics = [...this.#model.topics.values()].filter(({ isDeletionSent }) => !isDeletionSent);
    const topic = topics[Math.floor(this.#random() * topics.length)];
    const index = Math.floor(this.#random() * (topic?.partitions.length ?? 0));
    const partition = topic?.partitions[index];
    if (!topic || !partition) throw new Error("There is no topic to produce to");
    return { name: topic.name, index, partition };
  }

  #values(count: number): string[] {
    return Array.from({ length: count }, () => {
      const sizeBytes = this.#random() < 0.7 ? this.#random() * valueBytesMax : 10;
      return `${this.#next()}-`.padEnd(sizeBytes, "x");
    });
  }
}
