import assert from "node:assert/strict";
import type { Compression } from "#protocol/compression/compression.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { RecordInput } from "#protocol/records/batch-builder.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { ConnectionError, expectAccepted, RefusedError } from "./client-errors.ts";
import { type Cluster, isPassing } from "./cluster.ts";
import type { PartitionLeaders } from "./partition-leaders.ts";
import { type BuiltBatch, PartitionQueue, type ProducerIdentity } from "./partition-queue.ts";
import { partitionOfKey } from "./partitioner.ts";

export interface ProducerOptions {
  readonly topic: string;
  /** -1 waits for all replicas, 1 for the leader, 0 for nobody. */
  readonly acks: -1 | 0 | 1;
  readonly compression: Compression;
  readonly isIdempotent: boolean;
  /** Records of one batch before compression; the broker's max.message.bytes bounds it. */
  readonly batchBytes: number;
}

/** What became of the records so far. */
export interface ProducerTotals {
  readonly recordCount: number;
  /** Keys and values. */
  readonly sizeBytes: number;
  /** First and last offset written in each partition; absent with acks=0. */
  readonly partitions: ReadonlyMap<number, { readonly first: number; readonly last: number }>;
}

/** Records go out with names of topics, not ids, up to here. */
const produceVersionMax = 12;

/** Bytes taken and not acknowledged yet; `send` waits beyond. */
const bufferBytesMax = 32 << 20;

const retryDelayMs = 100;

type PartitionAnswer = ResponseOutput<typeof Produce>["responses"][number]["partitionResponses"][number];

/**
 * Writes records of one topic. Each partition has one batch in flight: order holds over retries, and while a batch
 * is under way the next one gathers. After the first failure every call throws it.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #leaders: PartitionLeaders;
  readonly #queues: readonly PartitionQueue[];
  readonly #written = new Map<number, { first: number; last: number }>();
  /** Resolved when a request ends, to look again. */
  #progress = Promise.withResolvers<void>();
  #isDispatchDue = false;
  #failure: Error | undefined;
  #bufferedBytes = 0;
  #recordCount = 0;
  #sizeBytes = 0;
  /** The partition that takes records without a key, until it has a batch full of them. */
  #keyless = 0;
  #keylessBytes = 0;

  /** The topic must have been learnt by `leaders`. */
  static async open(
    cluster: Cluster,
    leaders: PartitionLeaders,
    options: ProducerOptions,
  ): Promise<Producer> {
    const identity = options.isIdempotent ? await newIdentity(cluster) : undefined;
    return new Producer({ cluster, leaders, options, identity });
  }

  private constructor(parts: {
    cluster: Cluster;
    leaders: PartitionLeaders;
    options: ProducerOptions;
    identity: ProducerIdentity | undefined;
  }) {
    this.#cluster = parts.cluster;
    this.#leaders = parts.leaders;
    this.#options = parts.options;
    this.#queues = parts.leaders
      .partitionsOf(parts.options.topic)
      .map((partition) => new PartitionQueue(partition, parts.options, parts.identity));
  }

  get totals(): ProducerTotals {
    return { recordCount: this.#recordCount, sizeBytes: this.#sizeBytes, partitions: this.#written };
  }

  /** Takes a record for its key's partition, or for `partition`; waits while too much is on its way. @throws RefusedError */
  async send(record: RecordInput, partition?: number): Promise<void> {
    const index = partition ?? this.#choose(record);
    // Refuses a partition that is not there.
    this.#leaders.leaderOf({ topic: this.#options.topic, partition: index });
    const queue = this.#queues[index];
    assert(queue);
    this.#bufferedBytes += queue.add(record);
    this.#dispatchSoon();
    while (this.#bufferedBytes > bufferBytesMax && !this.#failure) await this.#progress.promise;
    if (this.#failure) throw this.#failure;
  }

  /** Waits until all records are acknowledged. */
  async flush(): Promise<void> {
    while (!this.#failure && this.#queues.some((queue) => !queue.isEmpty)) await this.#progress.promise;
    if (this.#failure) throw this.#failure;
  }

  #choose({ key, value }: RecordInput): number {
    if (key !== null) return partitionOfKey(key, this.#queues.length);
    this.#keylessBytes += value?.length ?? 0;
    if (this.#keylessBytes > this.#options.batchBytes) {
      this.#keylessBytes = 0;
      this.#keyless = (this.#keyless + 1) % this.#queues.length;
    }
    return this.#keyless;
  }

  /** After what is ready now has run, so that records that come together go together. */
  #dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    this.#cluster.clock.soon(() => {
      this.#isDispatchDue = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#failure) return;
    const ready = this.#queues.filter((queue) => queue.isReady);
    const { topic } = this.#options;
    const located = ready.map((queue) => ({ topic, partition: queue.partition, queue }));
    for (const [nodeId, led] of this.#leaders.byLeader(located)) {
      const batches = led.map(({ queue }) => ({
        queue,
        batch: queue.take(this.#cluster.clock.monotonicMs()),
      }));
      this.#write(nodeId, batches).catch((error: unknown) => this.#fail(error));
    }
  }

  async #write(
    nodeId: number,
    batches: readonly { queue: PartitionQueue; batch: BuiltBatch }[],
  ): Promise<void> {
    const { topic, acks } = this.#options;
    const { timeoutMs } = this.#cluster;
    const partitionData = batches.map(({ batch }) => ({ index: batch.partition, records: batch.bytes }));
    const request = { transactionalId: null, acks, timeoutMs, topicData: [{ name: topic, partitionData }] };
    const options = { versionMax: produceVersionMax, waitMs: timeoutMs };
    let answers: readonly PartitionAnswer[];
    try {
      const connection = await this.#cluster.connectionTo(nodeId);
      if (acks === 0) {
        connection.send(Produce, request, options);
        for (const { queue, batch } of batches) this.#finish(queue, batch);
        return;
      }
      const answer = await connection.request(Produce, request, options);
      answers = answer.responses.flatMap(({ partitionResponses }) => partitionResponses);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      await this.#tryAgain(batches, error);
      return;
    }
    await this.#take(batches, answers);
  }

  async #take(
    batches: readonly { queue: PartitionQueue; batch: BuiltBatch }[],
    answers: readonly PartitionAnswer[],
  ): Promise<void> {
    const { topic } = this.#options;
    for (const { queue, batch } of batches) {
      const answer = answers.find(({ index }) => index === batch.partition);
      assert(answer, "every partition is answered");
      // A duplicate was written by an earlier attempt whose answer was lost.
      if (answer.errorCode === ErrorCode.duplicateSequenceNumber) this.#finish(queue, batch);
      else if (answer.errorCode === ErrorCode.none) this.#finish(queue, batch, answer.baseOffset);
      else {
        const action = `produce to partition ${batch.partition} of topic "${topic}"`;
        const refusal = new RefusedError(action, answer.errorCode, answer.errorMessage);
        if (!isPassing(refusal)) throw refusal;
        await this.#tryAgain([{ queue, batch }], refusal);
      }
    }
  }

  #finish(queue: PartitionQueue, batch: BuiltBatch, baseOffset?: number): void {
    queue.finish();
    this.#bufferedBytes -= batch.bufferedBytes;
    this.#recordCount += batch.recordCount;
    this.#sizeBytes += batch.sizeBytes;
    if (baseOffset !== undefined) {
      const first = this.#written.get(batch.partition)?.first ?? baseOffset;
      this.#written.set(batch.partition, { first, last: baseOffset + batch.recordCount - 1 });
    }
    this.#dispatchSoon();
    this.#announce();
  }

  /** Gives the batches back and learns who leads now; gives up once a batch is older than the timeout. */
  async #tryAgain(
    batches: readonly { queue: PartitionQueue; batch: BuiltBatch }[],
    error: Error,
  ): Promise<void> {
    const { clock, timeoutMs } = this.#cluster;
    const ageMs = Math.max(...batches.map(({ batch }) => clock.monotonicMs() - batch.firstSentMs));
    if (ageMs > timeoutMs) throw error;
    await this.#cluster.sleep(retryDelayMs);
    await this.#leaders.relearn();
    for (const { queue } of batches) queue.putBack();
    this.#dispatchSoon();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#announce();
  }

  #announce(): void {
    const announced = this.#progress;
    this.#progress = Promise.withResolvers<void>();
    announced.resolve();
  }
}

async function newIdentity(cluster: Cluster): Promise<ProducerIdentity> {
  return await cluster.retry(async () => {
    const answer = await cluster.request(InitProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    expectAccepted("get a producer id", answer.errorCode);
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  });
}
