import { ErrorCode, errorName, isRetriable } from "#protocol/error-codes.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { type Address, clientId, correlationId, LoadConnection } from "../load/load-connection.ts";
import { newProducerId } from "../load/topics.ts";
import type { PartitionLedger } from "./ledger.ts";
import type { SoakTopic } from "./soak-plan.ts";
import type { BatchMaker, SoakBatch } from "./soak-records.ts";

/** The newest version in which topics go by name. */
const produceVersion = 12;
const answerMsMax = 60_000;
/** Clients' default, and what the broker remembers of each producer. */
const inFlightMax = 5;
/** Records of one request: what was held up by a restart goes out in pieces. */
const requestRecordsMax = 500;
const reconnectEveryMs = 50;

/** A partition that a producer writes. */
export interface OwnedPartition {
  readonly topic: SoakTopic;
  readonly ledger: PartitionLedger;
}

export interface SteadyProducerOptions {
  readonly address: Address;
  readonly partitions: readonly OwnedPartition[];
  readonly maker: BatchMaker;
  /** Records a second. */
  readonly rate: number;
  /** When the first record is due. */
  readonly beginMs: number;
  /** Told of each record that was acknowledged: the time since it was due. */
  readonly onLatency: (latencyMs: number) => void;
  /** Told of an answer that no restart explains. */
  readonly onFault: (error: Error) => void;
}

/** A request that is not wholly acknowledged: the records from `first` on are in it. */
interface SentRequest {
  readonly first: number;
  readonly count: number;
  readonly batches: Set<SoakBatch>;
}

/**
 * An idempotent producer that sends each record when it is due, whatever the broker does, and sends again in order
 * what was not answered when its connection broke. Latency counts from when a record was due: a restart is seen by
 * every record that it held up.
 */
export class SteadyProducer implements AsyncDisposable {
  readonly #options: SteadyProducerOptions;
  readonly #producerId: number;
  #requests: SentRequest[] = [];
  #connection: LoadConnection | undefined;
  #sentRecords = 0;
  #nextPartition = 0;
  #isClosed = false;
  /** Times that requests had to be sent again. */
  resendCount = 0;

  static async open(options: SteadyProducerOptions): Promise<SteadyProducer> {
    await using asking = await LoadConnection.open(options.address, () => undefined);
    const producer = new SteadyProducer(options, await newProducerId(asking));
    await producer.#connect();
    return producer;
  }

  private constructor(options: SteadyProducerOptions, producerId: number) {
    this.#options = options;
    this.#producerId = producerId;
  }

  /** Everything that was sent has been acknowledged. */
  get isIdle(): boolean {
    return this.#requests.length === 0;
  }

  /** Sends what is due by now. */
  advance(nowMs: number): void {
    while (this.#connection && this.#requests.length < inFlightMax) {
      const due = Math.floor((nowMs - this.#dueMs(this.#sentRecords)) / this.#gapMs) + 1;
      if (due <= 0) return;
      const request = this.#plan(Math.min(due, requestRecordsMax));
      this.#requests.push(request);
      this.#transmit(request, this.#connection);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#connection?.[Symbol.asyncDispose]();
  }

  get #gapMs(): number {
    return 1000 / this.#options.rate;
  }

  #dueMs(record: number): number {
    return this.#options.beginMs + record * this.#gapMs;
  }

  /** Records go round the partitions one by one, as keys would send them. */
  #plan(count: number): SentRequest {
    const { partitions, maker } = this.#options;
    const first = this.#sentRecords;
    this.#sentRecords += count;
    const batches = new Set<SoakBatch>();
    const producer = { producerId: this.#producerId, producerEpoch: 0 };
    partitions.forEach(({ topic, ledger }, at) => {
      const turn = (at - this.#nextPartition + partitions.length) % partitions.length;
      const records = Math.ceil((count - turn) / partitions.length);
      if (records > 0) batches.add(maker.next(topic, ledger, records, producer));
    });
    this.#nextPartition = (this.#nextPartition + count) % partitions.length;
    return { first, count, batches };
  }

  #transmit(request: SentRequest, connection: LoadConnection): void {
    const byTopic = Map.groupBy(request.batches, ({ ledger }) => ledger.topic);
    const topicData = [...byTopic].map(([name, batches]) => ({
      name,
      partitionData: batches.map(({ ledger, bytes }) => ({ index: ledger.partition, records: bytes })),
    }));
    const frame = encodeRequestFrame(
      { transactionalId: null, acks: -1, timeoutMs: answerMsMax, topicData },
      { api: Produce, version: produceVersion, correlationId, clientId },
    );
    connection.send([frame], (answer) => this.#take(request, answer));
  }

  /** Throws for a batch that was refused, which breaks the connection: all is sent again, in order. */
  #take(request: SentRequest, frame: Buffer): void {
    const { response } = decodeResponseFrame(frame, { api: Produce, version: produceVersion });
    let refusal: number | undefined;
    for (const { name, partitionResponses } of response.responses) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        const batch = [...request.batches].find(
          ({ ledger }) => ledger.topic === name && ledger.partition === index,
        );
        if (!batch) continue;
        if (errorCode !== ErrorCode.none) {
          refusal = this.#judge(request, errorCode);
          continue;
        }
        request.batches.delete(batch);
        batch.ledger.acknowledge({ ...batch, baseOffset });
        for (const { key, number, isDeletion } of batch.keys) {
          batch.ledger.latest.set(key, { number, isDeletion });
        }
      }
    }
    if (refusal !== undefined) throw new Error(`Cannot produce: ${errorName(refusal)}`);
    this.#finish(request);
  }

  #finish(request: SentRequest): void {
    this.#requests = this.#requests.filter((other) => other !== request);
    const nowMs = performance.now();
    for (let record = request.first; record < request.first + request.count; record++) {
      this.#options.onLatency(nowMs - this.#dueMs(record));
    }
  }

  /** Behind a batch that was refused the next ones are out of order; the first one must never be. */
  #judge(request: SentRequest, errorCode: number): number {
    const isBehind = request !== this.#requests[0] && errorCode === ErrorCode.outOfOrderSequenceNumber;
    if (!isBehind && !isRetriable(errorCode)) {
      this.#options.onFault(new Error(`Cannot produce: the broker answers ${errorName(errorCode)}`));
    }
    return errorCode;
  }

  #lost(): void {
    this.#connection = undefined;
    if (this.#isClosed) return;
    setTimeout(() => {
      this.#reconnect().catch((error: unknown) => this.#options.onFault(asError(error)));
    }, reconnectEveryMs);
  }

  async #reconnect(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#connect();
    } catch {
      // Nobody listens yet.
      this.#lost();
    }
  }

  async #connect(): Promise<void> {
    let isLost = false;
    const connection = await LoadConnection.open(this.#options.address, () => {
      isLost = true;
      if (this.#connection === connection) this.#lost();
    });
    if (isLost) throw new Error("Cannot use the connection: it broke at once");
    this.#connection = connection;
    this.resendCount += this.#requests.length;
    for (const request of this.#requests) this.#transmit(request, connection);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
