import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Admin, type Producer } from "kafkajs";

/** A random number in [0, 1), from a seed, so that a failing run can be repeated as far as the machine allows. */
export type Random = () => number;

/** Mulberry32: small, and good enough to choose sizes and moments. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface WriterOptions {
  readonly name: string;
  readonly topic: string;
  readonly partitions: number;
  readonly random: Random;
  /** An idempotent writer repeats a send until it is answered; any other one tries each record once. */
  readonly idempotent: boolean;
  readonly acks: 1 | -1;
  readonly compression?: kafkajs.CompressionTypes;
}

/** What a writer knows of one partition: numbers given out, and those of them that the broker acknowledged. */
export interface Ledger {
  next: number;
  readonly acknowledged: number[];
}

/** A record's value: whose it is and its number; the rest makes it large enough to roll segments. */
export function recordValue(writer: string, number: number): string {
  return `${writer}/${number}/${"-".repeat(400 + ((number * 37) % 1_200))}`;
}

/** The writer and number in a value. */
export function parseRecordValue(value: string): { writer: string; number: number } {
  const [writer = "", number = ""] = value.split("/", 2);
  return { writer, number: Number(number) };
}

const recordsPerSendMax = 12;
const pauseAfterFailureMs = 20;

/** Writes numbered records to all partitions, one send at a time, until it is told to stop. */
export class Writer {
  readonly options: WriterOptions;
  readonly ledgers: readonly Ledger[];
  acknowledgedSends = 0;
  failedSends = 0;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(options: WriterOptions) {
    this.options = options;
    this.ledgers = Array.from({ length: options.partitions }, () => ({ next: 0, acknowledged: [] }));
  }

  start(bootstrapServers: string): void {
    this.#running = this.#run(bootstrapServers);
    // Seen in `stop`: until then a failure must not end the test's process.
    this.#running.catch(() => undefined);
  }

  /** Waits for the send under way. @throws what an idempotent send failed with */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(bootstrapServers: string): Promise<void> {
    const { idempotent } = this.options;
    const kafka = new kafkajs.Kafka({
      clientId: this.options.name,
      brokers: [bootstrapServers],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 1_000,
      requestTimeout: 10_000,
      retry: idempotent
        ? { initialRetryTime: 20, maxRetryTime: 100, retries: 10_000 }
        : { initialRetryTime: 20, maxRetryTime: 100, retries: 0 },
    });
    const producer = kafka.producer({
      idempotent,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    });
    await this.#connect(producer);
    try {
      while (!this.#isStopping) await this.#send(producer);
    } finally {
      await producer.disconnect();
    }
  }

  async #connect(producer: Producer): Promise<void> {
    for (;;) {
      try {
        await producer.connect();
        return;
      } catch {
        await sleep(pauseAfterFailureMs);
      }
    }
  }

  async #send(producer: Producer): Promise<void> {
    const { name, topic, acks, random, idempotent, compression } = this.options;
    const taken: { ledger: Ledger; number: number }[] = [];
    const messages: { value: string; partition: number }[] = [];
    const count = 1 + Math.floor(random() * recordsPerSendMax);
    for (let index = 0; index < count; index++) {
      const partition = Math.floor(random() * this.ledgers.length);
      const ledger = this.ledgers[partition];
      if (!ledger) continue;
      const number = ledger.next;
      ledger.next += 1;
      taken.push({ ledger, number });
      messages.push({ partition, value: recordValue(name, number) });
    }
    try {
      await producer.send({ topic, acks, messages, ...(compression ? { compression } : {}) });
    } catch (error) {
      // An idempotent producer only gives up when the broker's answer forbids it to go on.
      if (idempotent) throw error;
      this.failedSends += 1;
      await sleep(pauseAfterFailureMs);
      return;
    }
    this.acknowledgedSends += 1;
    for (const { ledger, number } of taken) ledger.acknowledged.push(number);
  }
}

/** Commits growing offsets for a group without members, and remembers the last that was acknowledged. */
export class Committer {
  readonly groupId: string;
  readonly topic: string;
  acknowledged = -1;
  attempted = -1;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor({ groupId, topic }: { groupId: string; topic: string }) {
    this.groupId = groupId;
    this.topic = topic;
  }

  /** `commit` stores one offset and resolves once the broker has acknowledged it. */
  start(commit: (offset: number) => Promise<void>): void {
    const run = async (): Promise<void> => {
      while (!this.#isStopping) {
        this.attempted += 1;
        try {
          await commit(this.attempted);
          this.acknowledged = this.attempted;
        } catch {
          await sleep(pauseAfterFailureMs);
        }
      }
    };
    this.#running = run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  /** What the group has committed now. */
  async committed(admin: Admin): Promise<number> {
    const [offsets] = await admin.fetchOffsets({ groupId: this.groupId, topics: [this.topic] });
    return Number(offsets?.partitions[0]?.offset);
  }
}
