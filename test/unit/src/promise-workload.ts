import { expect } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { readBatches } from "#protocol/records/batch.ts";
import { type BrokerWorld, batchOf } from "./broker-world.ts";
import type { JournalWitness } from "./journal-witness.ts";
import { PipeliningClient } from "./pipelining-client.ts";

/** Partitions that producers write to. */
const places = [0, 1, 2].map((partition) => ({ topic: "t", partition }));
const port = 9092;
const timeoutMs = 60_000;

/** A producer on a connection of its own, its partitions' next sequence numbers and what it sent last. */
interface Producer {
  readonly client: PipeliningClient;
  readonly producerId: number;
  readonly nextSequences: number[];
  readonly lastBatches: (Uint8Array | undefined)[];
}

/** Clients that check each answer against what the journal holds at the moment that it comes. */
export class PromiseWorkload {
  readonly #world: BrokerWorld;
  readonly #witness: JournalWitness;
  readonly #random: () => number;
  readonly #producers: Producer[] = [];
  readonly #retrying: PipeliningClient;
  readonly #administering: PipeliningClient;
  readonly #committing: PipeliningClient;
  readonly #reading: PipeliningClient;
  readonly #madeTopics: { name: string; topicId: string }[] = [];
  readonly #readOffsets = places.map(() => 0);
  #number = 0;
  #partitionCount = 1;
  /** Answers that promised something. */
  checkedCount = 0;

  constructor(world: BrokerWorld, witness: JournalWitness, random: () => number) {
    this.#world = world;
    this.#witness = witness;
    this.#random = random;
    [this.#retrying, this.#administering, this.#committing, this.#reading] = [
      this.#connect(),
      this.#connect(),
      this.#connect(),
      this.#connect(),
    ];
  }

  /** Makes the topics and producers; nothing is held yet. */
  async prepare(): Promise<void> {
    const world = this.#world;
    expect(await world.createTopic("t", { partitions: places.length })).toBe(0);
    expect(await world.createTopic("grown")).toBe(0);
    expect(await world.createTopic("__consumer_offsets")).toBe(0);
    for (const isIdempotent of [true, true, false]) {
      const { producerId } = isIdempotent
        ? await world.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1_000 })
        : { producerId: -1 };
      const client = this.#connect();
      this.#producers.push({ client, producerId, nextSequences: places.map(() => 0), lastBatches: [] });
    }
  }

  /** Requests that wait for their answer. */
  get waitingCount(): number {
    return this.#clients.reduce((sum, { waitingCount }) => sum + waitingCount, 0);
  }

  /** Checks what has been answered since the last time. */
  takeAnswers(): void {
    for (const client of this.#clients) client.takeAnswers();
    // Nor may readers see, by whichever way they ask, what a crash could still undo.
    for (const { topic, partition } of places) {
      const { highWatermark } = this.#partition(topic, partition);
      expect(highWatermark).toBeLessThanOrEqual(this.#witness.endOffset(this.#groupId(topic, partition)));
    }
  }

  /** Sends some request. */
  step(): void {
    const dice = this.#random();
    if (dice < 0.55) this.#produce();
    else if (dice < 0.65) this.#retry();
    else if (dice < 0.75) this.#commit();
    else if (dice < 0.85) this.#fetch();
    else this.#administer();
  }

  get #clients(): PipeliningClient[] {
    const others = [this.#retrying, this.#administering, this.#committing, this.#reading];
    return [...this.#producers.map(({ client }) => client), ...others];
  }

  #connect(): PipeliningClient {
    return new PipeliningClient(this.#world.network.connect(port));
  }

  /** A batch for each of some partitions in one request, at any acks. */
  #produce(): void {
    const producer = this.#pick(this.#producers);
    const acks = this.#pick([-1, -1, 1, 1, 0]);
    const count = 1 + Math.floor(this.#random() * places.length);
    const batches = places.slice(0, count).map(({ partition }) => {
      const values = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => this.#value());
      const baseSequence = producer.nextSequences[partition] ?? 0;
      const { producerId } = producer;
      const isSequenced = producerId >= 0;
      const sequence = isSequenced ? { producerId, producerEpoch: 0, baseSequence } : {};
      const batch = batchOf(values, sequence);
      producer.nextSequences[partition] = baseSequence + values.length;
      producer.lastBatches[partition] = isSequenced ? batch : undefined;
      return { partition, batch };
    });
    this.#send(producer.client, acks, batches);
  }

  /** What a producer does that lost its connection: the same batch again, by another. */
  #retry(): void {
    const producer = this.#pick(this.#producers);
    const { partition } = this.#pick(places);
    const batch = producer.lastBatches[partition];
    if (batch) this.#send(this.#retrying, this.#pick([-1, 1]), [{ partition, batch }]);
  }

  #send(
    client: PipeliningClient,
    acks: number,
    batches: readonly { partition: number; batch: Uint8Array }[],
  ): void {
    const partitionData = batches.map(({ partition, batch }) => ({ index: partition, records: batch }));
    const request = {
      transactionalId: null,
      acks,
      timeoutMs,
      topicData: [{ name: "t", partitionData }],
    };
    if (acks === 0) {
      client.send(Produce, 9, request);
      return;
    }
    client.send(Produce, 9, request, ({ responses }) => {
      for (const { index, errorCode, baseOffset } of responses[0]?.partitionResponses ?? []) {
        expect(errorCode).toBe(ErrorCode.none);
        const sent = batches.find(({ partition }) => partition === index)?.batch;
        const stored = this.#witness.batch(this.#groupId("t", index), baseOffset);
        // Offset and epoch are the broker's to write; from the magic on a batch stays as it was sent.
        expect(
          stored && Buffer.from(stored).subarray(16),
          `t-${index}@${baseOffset} of acks=${acks}`,
        ).toEqual(sent && Buffer.from(sent).subarray(16));
        this.checkedCount += 1;
      }
    });
  }

  #commit(): void {
    const committedMetadata = this.#value();
    const partitions = [{ partitionIndex: 0, committedOffset: this.#number, committedMetadata }];
    const request = { groupId: "g", topics: [{ name: "t", partitions }] };
    this.#committing.send(OffsetCommit, 8, request, ({ topics }) => {
      expect(topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.none);
      const groupId = this.#groupId("__consumer_offsets", 0);
      expect(this.#witness.holds(groupId, Buffer.from(committedMetadata)), committedMetadata).toBe(true);
      this.checkedCount += 1;
    });
  }

  #fetch(): void {
    const { topic, partition } = this.#pick(places);
    const fetchOffset = this.#readOffsets[partition] ?? 0;
    const wanted = { partition, fetchOffset, partitionMaxBytes: 1 << 20 };
    const request = {
      maxWaitMs: 50,
      minBytes: 1,
      maxBytes: 1 << 20,
      topics: [{ topic, partitions: [wanted] }],
    };
    this.#reading.send(Fetch, 11, request, ({ responses }) => {
      const answer = responses[0]?.partitions[0];
      expect(answer?.errorCode).toBe(ErrorCode.none);
      for (const { header } of readBatches(answer?.records ?? new Uint8Array(0))) {
        const stored = this.#witness.batch(this.#groupId(topic, partition), header.baseOffset);
        expect(stored, `${topic}-${partition}@${header.baseOffset} was read`).toBeDefined();
        this.#readOffsets[partition] = Math.max(this.#readOffsets[partition] ?? 0, header.nextOffset);
      }
    });
  }

  #administer(): void {
    const dice = this.#random();
    if (dice < 0.3) this.#createTopic();
    else if (dice < 0.5) this.#deleteTopic();
    else if (dice < 0.65) this.#grow();
    else if (dice < 0.85) this.#alterConfig();
    else this.#initProducerId();
  }

  #createTopic(): void {
    const name = `topic-${++this.#number}`;
    const topics = [{ name, numPartitions: 2, replicationFactor: 1 }];
    this.#administering.send(CreateTopics, 7, { topics, timeoutMs }, (response) => {
      const [made] = response.topics;
      expect(made?.errorCode).toBe(ErrorCode.none);
      const topicId = made?.topicId ?? "";
      this.#expectCommand({ kind: "createTopic", name, topicId });
      this.#madeTopics.push({ name, topicId });
    });
  }

  #deleteTopic(): void {
    const topic = this.#madeTopics.pop();
    if (!topic) return;
    const request = { topicNames: [topic.name], timeoutMs };
    this.#administering.send(DeleteTopics, 5, request, ({ responses }) => {
      expect(responses[0]?.errorCode).toBe(ErrorCode.none);
      this.#expectCommand({ kind: "deleteTopic", topicId: topic.topicId });
    });
  }

  #grow(): void {
    const existing = this.#partitionCount++;
    const topics = [{ name: "grown", count: this.#partitionCount, assignments: null }];
    const request = { topics, timeoutMs, validateOnly: false };
    this.#administering.send(CreatePartitions, 3, request, ({ results }) => {
      expect(results[0]?.errorCode, results[0]?.errorMessage ?? "").toBe(ErrorCode.none);
      this.#expectCommand({ kind: "addPartitions", existing });
    });
  }

  #alterConfig(): void {
    const value = String(10_000_000 + ++this.#number);
    const configs = [{ name: "retention.ms", configOperation: 0, value }];
    const resources = [{ resourceType: 2, resourceName: "t", configs }];
    this.#administering.send(IncrementalAlterConfigs, 1, { resources }, ({ responses }) => {
      expect(responses[0]?.errorCode).toBe(ErrorCode.none);
      this.#expectCommand({ kind: "setConfigs", configs: { "retention.ms": value } });
    });
  }

  /** An id that a crash could hand out once more would let two producers pass for one. */
  #initProducerId(): void {
    const request = { transactionalId: null, transactionTimeoutMs: 1_000 };
    this.#administering.send(InitProducerId, 4, request, ({ errorCode, producerId }) => {
      expect(errorCode).toBe(ErrorCode.none);
      const blocks = this.#witness.commands.filter(({ kind }) => kind === "allocateProducerIds");
      const end = blocks.reduce((sum, block) => sum + ("count" in block ? block.count : 0), 0);
      expect(producerId).toBeLessThan(end);
      this.checkedCount += 1;
    });
  }

  #expectCommand(command: object): void {
    expect(this.#witness.commands).toContainEqual(expect.objectContaining(command));
    this.checkedCount += 1;
  }

  #groupId(topic: string, partition: number): number {
    return this.#partition(topic, partition).groupId;
  }

  #partition(topic: string, index: number) {
    const partition = this.#world.broker.partitions.find(topic, index);
    if (!partition) throw new Error(`Cannot find ${topic}-${index}`);
    return partition;
  }

  #value(): string {
    return `value ${++this.#number};`;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error("Cannot pick: there are no items");
    return item;
  }
}
