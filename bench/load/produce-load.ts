import type { LoadProducer, PlannedBatch } from "./load-producer.ts";
import type { Window } from "./window.ts";

export interface ProducePlan {
  /** Records a second over all producers; undefined for as fast as the broker answers. */
  readonly rate: number | undefined;
  /** Records of a full batch. */
  readonly batchRecords: number;
  /** Most batches, each of another partition, that one request carries. */
  readonly requestBatches: number;
  /** Requests that one producer has under way, 5 with clients' defaults. */
  readonly inFlightMax: number;
  /** Ends the load before the window does. */
  readonly recordsMax: number | undefined;
}

export interface ProduceLoadOptions {
  readonly producers: readonly LoadProducer[];
  readonly plan: ProducePlan;
  readonly window: Window;
  /** When the first record is due. */
  readonly beginMs: number;
  /** Told of records in the order in which they get their offsets, with the time at which they were due. */
  readonly onSend: (partition: number, dueMs: number) => void;
}

const tickMs = 1;
/** How long answers may take after the end before the load counts as hung. */
const stragglersMsMax = 60_000;

/** Drives producers until the window ends; resolves when all is answered. @throws Error when answers stay out */
export async function runProduceLoad(options: ProduceLoadOptions): Promise<void> {
  const { producers, plan, window } = options;
  const drivers = producers.map((producer, number) =>
    plan.rate === undefined
      ? new FullSpeed(options, producer)
      : new FixedRate(options, producer, number, plan.rate),
  );
  while (performance.now() < window.endMs && drivers.some((driver) => !driver.isDone)) {
    for (const driver of drivers) driver.advance();
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  const giveUpMs = performance.now() + stragglersMsMax;
  while (producers.some(({ inFlight }) => inFlight > 0)) {
    if (performance.now() > giveUpMs) throw new Error("Cannot finish: the broker does not answer");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Keeps a bounded number of full requests under way; their latency is that of a saturated broker. */
class FullSpeed {
  readonly #options: ProduceLoadOptions;
  readonly #producer: LoadProducer;
  readonly #recordsMax: number;
  #sentRecords = 0;

  constructor(options: ProduceLoadOptions, producer: LoadProducer) {
    this.#options = options;
    this.#producer = producer;
    this.#recordsMax = (options.plan.recordsMax ?? Number.POSITIVE_INFINITY) * producer.share;
  }

  get isDone(): boolean {
    return this.#sentRecords >= this.#recordsMax || performance.now() >= this.#options.window.endMs;
  }

  advance(): void {
    while (!this.isDone && this.#producer.inFlight < this.#options.plan.inFlightMax) this.#send();
  }

  #send(): void {
    const { plan, window, onSend } = this.#options;
    const sentMs = performance.now();
    const planned: PlannedBatch[] = [];
    for (let count = Math.min(plan.requestBatches, this.#producer.partitionCount); count > 0; count--) {
      const partition = this.#producer.nextPartition();
      planned.push({ partition, records: plan.batchRecords });
      for (let record = 0; record < plan.batchRecords; record++) onSend(partition, sentMs);
    }
    const records = planned.length * plan.batchRecords;
    this.#sentRecords += records;
    this.#producer.send(planned, (sizeBytes) => {
      const nowMs = performance.now();
      if (window.includes(nowMs)) {
        window.produced.records += records;
        window.produced.bytes += sizeBytes;
        window.latencies.record(nowMs - sentMs, records);
      }
      this.advance();
    });
  }
}

/**
 * Sends each record when it is due, whatever the broker does: like a client with `linger.ms=0`, which gathers
 * only what becomes due while all its requests are under way. Latency counts from when a record was due, so a
 * stall is seen by every record that it held up (no coordinated omission).
 */
class FixedRate {
  readonly #options: ProduceLoadOptions;
  readonly #producer: LoadProducer;
  /** When in the time between two of its records its first one is due: producers take turns. */
  readonly #phase: number;
  readonly #gapMs: number;
  #sentRecords = 0;

  constructor(options: ProduceLoadOptions, producer: LoadProducer, number: number, rate: number) {
    this.#options = options;
    this.#producer = producer;
    this.#phase = number / options.producers.length;
    this.#gapMs = 1000 / (rate * producer.share);
  }

  get isDone(): boolean {
    return this.#dueMs(this.#sentRecords) >= this.#options.window.endMs;
  }

  advance(): void {
    const { plan } = this.#options;
    const nowMs = performance.now();
    while (this.#producer.inFlight < plan.inFlightMax) {
      const dueRecords = this.#dueRecords(nowMs);
      if (dueRecords <= 0) return;
      this.#send(
        Math.min(
          dueRecords,
          plan.batchRecords * Math.min(plan.requestBatches, this.#producer.partitionCount),
        ),
      );
    }
  }

  #dueRecords(nowMs: number): number {
    const untilMs = Math.min(nowMs, this.#options.window.endMs);
    return Math.ceil((untilMs - this.#dueMs(this.#sentRecords)) / this.#gapMs);
  }

  #dueMs(record: number): number {
    return this.#options.beginMs + (record + this.#phase) * this.#gapMs;
  }

  #send(records: number): void {
    const { window } = this.#options;
    const first = this.#sentRecords;
    const planned = this.#planNext(records);
    const firstDueMs = this.#dueMs(first);
    if (window.includes(firstDueMs)) window.lag.record(performance.now() - firstDueMs);
    this.#producer.send(planned, (sizeBytes) => {
      const nowMs = performance.now();
      if (window.includes(nowMs)) {
        window.produced.records += records;
        window.produced.bytes += sizeBytes;
      }
      for (let record = first; record < first + records; record++) {
        const dueMs = this.#dueMs(record);
        if (window.includes(dueMs)) window.latencies.record(nowMs - dueMs);
      }
      this.advance();
    });
  }

  /** Records go round the partitions one by one, as keys would send them. */
  #planNext(records: number): PlannedBatch[] {
    const { onSend } = this.#options;
    const counts = new Map<number, number>();
    for (let record = 0; record < records; record++) {
      const partition = this.#producer.nextPartition();
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
      onSend(partition, this.#dueMs(this.#sentRecords));
      this.#sentRecords++;
    }
    return Array.from(counts, ([partition, count]) => ({ partition, records: count }));
  }
}
