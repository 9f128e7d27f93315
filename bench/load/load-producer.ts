import { Writer } from "#protocol/bytes/writer.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame } from "#protocol/frame.ts";
import { RequestHeader } from "#protocol/messages/internal/request-header.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { BatchPool } from "./batch-pool.ts";
import { clientId, correlationId, type LoadConnection } from "./load-connection.ts";

/** The newest version that Kafka 4 shares with us in which topics go by name. */
const produceVersion = 12;
const headerVersion = 2;
const answerMsMax = 60_000;

/** One partition's share of a request. */
export interface PlannedBatch {
  readonly partition: number;
  readonly records: number;
}

export interface LoadProducerOptions {
  /** Those that the broker at the other end leads; records go round them. */
  readonly partitions: readonly number[];
  /** Where in them it begins. */
  readonly start: number;
  /** Its part of all producers' records. */
  readonly share: number;
  readonly connection: LoadConnection;
  readonly topic: string;
  readonly producerId: number;
  readonly acks: -1 | 1;
  readonly pool: BatchPool;
}

/** An idempotent producer's connection with one broker, numbering its batches as clients do. */
export class LoadProducer {
  readonly #options: LoadProducerOptions;
  readonly #sequences = new Map<number, number>();
  #next: number;

  constructor(options: LoadProducerOptions) {
    this.#options = options;
    this.#next = options.start;
  }

  get inFlight(): number {
    return this.#options.connection.inFlight;
  }

  get share(): number {
    return this.#options.share;
  }

  /** Most batches, each of another partition, that a request can have. */
  get partitionCount(): number {
    return this.#options.partitions.length;
  }

  /** The partition of the next batch. */
  nextPartition(): number {
    const { partitions } = this.#options;
    return partitions[this.#next++ % partitions.length] ?? 0;
  }

  /** Sends one request; `onAnswer` gets the bytes of all its batches. Throws inside the connection on an error code. */
  send(planned: readonly PlannedBatch[], onAnswer: (sizeBytes: number) => void): void {
    const { connection, pool } = this.#options;
    const batches = planned.map(({ partition, records }) => this.#take(partition, records));
    connection.send(this.#encode(planned, batches), (frame) => {
      this.#check(frame);
      let sizeBytes = 0;
      batches.forEach((batch, at) => {
        sizeBytes += batch.length;
        pool.giveBack(planned[at]?.records ?? 0, batch);
      });
      onAnswer(sizeBytes);
    });
  }

  #take(partition: number, records: number): Uint8Array {
    const { pool, producerId } = this.#options;
    const baseSequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, baseSequence + records);
    return pool.take(records, { producerId, baseSequence });
  }

  #encode(planned: readonly PlannedBatch[], batches: readonly Uint8Array[]): Uint8Array[] {
    const { topic, acks } = this.#options;
    const writer = new Writer();
    const size = writer.reserveInt32();
    const header = {
      requestApiKey: Produce.key,
      requestApiVersion: produceVersion,
      correlationId,
      clientId,
    };
    RequestHeader.encode(writer, header, headerVersion);
    const partitionData = planned.map(({ partition }, at) => ({
      index: partition,
      records: batches[at] ?? null,
    }));
    Produce.request.encode(
      writer,
      {
        transactionalId: null,
        acks,
        timeoutMs: answerMsMax,
        topicData: [{ name: topic, partitionData }],
      },
      produceVersion,
    );
    writer.patchInt32(size, writer.sizeBytes - 4);
    return writer.finish();
  }

  #check(frame: Buffer): void {
    const { response } = decodeResponseFrame(frame, { api: Produce, version: produceVersion });
    for (const { partitionResponses } of response.responses) {
      for (const { errorCode, index, errorMessage } of partitionResponses) {
        if (errorCode === ErrorCode.none) continue;
        throw new Error(`Cannot produce to partition ${index}: error ${errorCode} ${errorMessage ?? ""}`);
      }
    }
  }
}
