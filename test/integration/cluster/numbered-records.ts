import type { Kafka } from "kafkajs";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";

/** Produces numbered records one by one, as an idempotent producer that waits for each, until told to stop. */
export class NumberedRecords {
  readonly #topic: string;
  readonly #kafka: Kafka;
  #count = 0;
  #isStopped = false;
  readonly #run: Promise<void>;

  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#run = this.#produce();
    // Told by `stop`.
    this.#run.catch(() => undefined);
  }

  /** How many were acknowledged. */
  get count(): number {
    return this.#count;
  }

  /** Resolves when this many more were acknowledged than now. */
  async more(count: number, what: string): Promise<void> {
    const before = this.#count;
    await waitUntil(what, () => this.#count >= before + count, 60_000);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }

  /** Reads the topic anew; resolves with the numbers as they are stored once all that were acknowledged are there. */
  async stored(): Promise<number[]> {
    const consumer = this.#kafka.consumer({ groupId: uniqueName("reader"), maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    const stored: number[] = [];
    await consumer.run({
      eachMessage: async ({ message }) => {
        stored.push(Number(message.value));
      },
    });
    await waitUntil("the whole log", () => stored.length >= this.#count, 60_000);
    await consumer.disconnect();
    return stored;
  }

  async #produce(): Promise<void> {
    const producer = this.#kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    while (!this.#isStopped) {
      await producer.send({
        topic: this.#topic,
        acks: -1,
        messages: [{ key: "k", value: String(this.#count) }],
      });
      this.#count += 1;
    }
    await producer.disconnect();
  }
}

/** 0, 1, 2 … */
export function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
