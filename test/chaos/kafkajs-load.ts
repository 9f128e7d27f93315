import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Consumer, type Kafka, type Producer } from "kafkajs";
import { type History, paddedValue, type WrittenRecord } from "./history.ts";

/** What all loads write to and read from. */
export interface LoadTarget {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly partitionCount: number;
  readonly recordBytes: number;
}

/** Errors that an idempotent producer of a broker which keeps its promises never meets. */
const brokenPromises = /OUT_OF_ORDER_SEQUENCE|INVALID_PRODUCER_EPOCH|UNKNOWN_PRODUCER_ID|DUPLICATE_SEQUENCE/;
const keysPerPartition = 2;
const pauseMs = 15;

/** A client that does not give up while nodes come and go. */
export function patientClient(
  bootstrapServers: readonly string[],
  clientId: string,
  { requestTimeout }: { requestTimeout: number } = { requestTimeout: 5_000 },
): Kafka {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...bootstrapServers],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout,
    retry: { initialRetryTime: 50, maxRetryTime: 400, retries: 2_000 },
  });
}

/** Load by kafkajs: idempotent producers with keys, and members of a group that commit. */
export class KafkajsLoad {
  readonly group: string;
  readonly #target: LoadTarget;
  readonly #history: History;
  readonly #writers: Promise<void>[];
  readonly #consumers: Consumer[] = [];
  #isStopped = false;

  constructor(target: LoadTarget, history: History, options: { writers: number; group: string }) {
    this.#target = target;
    this.#history = history;
    this.group = options.group;
    this.#writers = Array.from({ length: options.writers }, (_, index) => this.#write(`kafkajs-${index}`));
  }

  /** Adds a member to the group. */
  async join(): Promise<void> {
    const { bootstrapServers, topic } = this.#target;
    const consumer = patientClient(bootstrapServers, "chaos-member").consumer({
      groupId: this.group,
      sessionTimeout: 6_000,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 100,
    });
    this.#consumers.push(consumer);
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
      for (const { partitions } of payload.topics) {
        for (const { partition, offset } of partitions) {
          this.#history.commit(this.group, { partition, offset: Number(offset) });
        }
      }
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 300,
      eachMessage: async ({ partition, message }) => {
        const place = { partition, offset: Number(message.offset) };
        this.#history.consume(this.group, place, String(message.value));
      },
    });
  }

  /** Resolves when all that was begun is acknowledged, or given up. */
  async stopWriting(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.disconnect().catch(() => undefined)));
  }

  async #write(writer: string): Promise<void> {
    let sequence = 0;
    // A producer that failed may number its next batch like the one of which it knows nothing: it is not used again.
    while (!this.#isStopped) sequence = await this.#writeWithOne(writer, sequence);
  }

  async #writeWithOne(writer: string, from: number): Promise<number> {
    const { bootstrapServers, partitionCount } = this.#target;
    const client = patientClient(bootstrapServers, writer);
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    let sequence = from;
    try {
      await producer.connect();
      for (; !this.#isStopped; sequence++) {
        for (let partition = 0; partition < partitionCount; partition++) {
          const key = (index: number) => `${writer}-${partition}.${index}`;
          const records = Array.from({ length: keysPerPartition }, (_, index) => ({
            key: key(index),
            sequence,
          }));
          await this.#send(producer, { partition, records });
        }
        await sleep(pauseMs);
      }
    } catch (error) {
      if (brokenPromises.test(String(error))) this.#history.violate(`${writer}: ${String(error)}`);
      sequence += 1;
      await sleep(pauseMs);
    }
    await producer.disconnect().catch(() => undefined);
    return sequence;
  }

  /** One partition at a time: of a batch for several, kafkajs forgets those that move to a broker which has answered. */
  async #send(
    producer: Producer,
    { partition, records }: { partition: number; records: readonly WrittenRecord[] },
  ): Promise<void> {
    const { topic, recordBytes } = this.#target;
    const messages = records.map((record) => ({
      ...{ key: record.key, partition },
      value: paddedValue(record, recordBytes),
    }));
    try {
      const [answer] = await producer.send({ topic, acks: -1, messages });
      if (!answer) throw new Error("Cannot tell what became of a batch: kafkajs has no answer");
      for (const [index, record] of records.entries()) {
        this.#history.acknowledge(record, { partition, offset: Number(answer.baseOffset) + index });
      }
    } catch (error) {
      for (const record of records) this.#history.giveUp(record, String(error));
      throw error;
    }
  }
}
