import { BatchPool, type RecordShape } from "./batch-pool.ts";
import { residentBytes } from "./broker-process.ts";
import type { LatencySummary } from "./histogram.ts";
import { type Address, LoadConnection } from "./load-connection.ts";
import { LoadConsumer } from "./load-consumer.ts";
import { LoadProducer } from "./load-producer.ts";
import { type ProducePlan, runProduceLoad } from "./produce-load.ts";
import { endOffsets, ensureTopic, newProducerId } from "./topics.ts";
import { until, Window } from "./window.ts";

/** A load: producers, consumers or both on one topic. */
export interface LoadSpec {
  readonly address: Address;
  readonly topic: string;
  readonly partitions: number;
  readonly shape: RecordShape;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The broker's process, to measure. */
  readonly brokerPid: number | undefined;
  readonly producers: number;
  readonly acks: -1 | 1;
  readonly produce: Omit<ProducePlan, "partitions">;
  readonly consumers: number;
  /**
   * "share": consumers share the partitions and read what is new. "drain": they share the partitions and read
   * from the start to the present end. "each": each reads everything from the start, again and again.
   */
  readonly reading: "share" | "drain" | "each";
}

/** What came out; rates are those of the window. */
export interface LoadResult {
  readonly seconds: number;
  readonly producedPerSecond: number;
  readonly producedMegabytesPerSecond: number;
  readonly latency: LatencySummary;
  readonly lag: LatencySummary;
  readonly consumedPerSecond: number;
  readonly consumedMegabytesPerSecond: number;
  readonly endToEnd: LatencySummary;
  /** Broker CPU seconds for a million records, produced and consumed ones together. */
  readonly brokerCpuPerMillion: number;
  /** Of one core. */
  readonly brokerCpuShare: number;
  readonly generatorCpuShare: number;
  readonly brokerResidentBytes: number;
}

/** Time between the moment when all is connected and the first record. */
const settleMs = 100;

/** Runs one load. @throws Error for anything but success from the broker: a load with errors measures nothing */
export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  await using stack = new AsyncDisposableStack();
  const failure = Promise.withResolvers<never>();
  const connect = async (): Promise<LoadConnection> =>
    stack.use(await LoadConnection.open(spec.address, failure.reject));
  return await Promise.race([measure(spec, connect), failure.promise]);
}

async function measure(spec: LoadSpec, connect: () => Promise<LoadConnection>): Promise<LoadResult> {
  const admin = await connect();
  await ensureTopic(admin, spec.topic, spec.partitions);
  const ends = await endOffsets(admin, spec.topic, spec.partitions);
  const producers = await connectProducers(spec, connect);
  const consumers = await Promise.all(Array.from({ length: spec.consumers }, connect));

  const isTimed = spec.reading !== "drain" && spec.produce.recordsMax === undefined;
  const beginMs = performance.now() + settleMs;
  const window = new Window(beginMs + (isTimed ? spec.warmupSeconds * 1000 : 0), spec.seconds);
  const sent = new SentTimes(ends);
  const isEndToEnd = consumers.length > 0 && spec.reading === "share";

  await until(beginMs);
  const watching = isTimed ? window.watchCpu(spec.brokerPid) : undefined;
  const stopCpu = isTimed ? undefined : window.startCpu(spec.brokerPid);
  const plan = { ...spec.produce, partitions: spec.partitions };
  const onSend = isEndToEnd
    ? (partition: number, dueMs: number) => sent.push(partition, dueMs)
    : () => undefined;
  await Promise.all([
    watching,
    producers.length > 0 ? runProduceLoad({ producers, plan, window, beginMs, onSend }) : undefined,
    ...consumers.map((connection, number) => read(spec, { connection, number, ends, window, sent })),
  ]);
  stopCpu?.();
  return resultOf(spec, window, isTimed ? window.seconds : (performance.now() - beginMs) / 1000);
}

async function connectProducers(
  spec: LoadSpec,
  connect: () => Promise<LoadConnection>,
): Promise<LoadProducer[]> {
  const pool = new BatchPool(spec.shape, { random: Math.random, nowMs: Date.now() });
  return await Promise.all(
    Array.from({ length: spec.producers }, async () => {
      const connection = await connect();
      const producerId = await newProducerId(connection);
      return new LoadProducer({ connection, producerId, pool, topic: spec.topic, acks: spec.acks });
    }),
  );
}

interface Reading {
  readonly connection: LoadConnection;
  readonly number: number;
  readonly ends: readonly number[];
  readonly window: Window;
  readonly sent: SentTimes;
}

/** Runs one consumer to the end of its reading. */
async function read(spec: LoadSpec, { connection, number, ends, window, sent }: Reading): Promise<void> {
  const isMine = (partition: number): boolean =>
    spec.reading === "each" || partition % spec.consumers === number;
  const fromStart = spec.reading !== "share";
  let leftRecords = ends.reduce((sum, end, partition) => sum + (isMine(partition) ? end : 0), 0);
  for (;;) {
    const consumer = new LoadConsumer({
      connection,
      topic: spec.topic,
      offsets: ends.map((end, partition) => (isMine(partition) ? (fromStart ? 0 : end) : undefined)),
      onBatch: (partition, header) => {
        const nowMs = performance.now();
        const records = header.nextOffset - header.baseOffset;
        leftRecords -= records;
        if (spec.reading === "drain" || window.includes(nowMs)) {
          window.consumed.records += records;
          window.consumed.bytes += header.sizeBytes;
        }
        if (spec.reading !== "share") return;
        for (let offset = header.baseOffset; offset < header.nextOffset; offset++) {
          const dueMs = sent.of(partition, offset);
          if (window.includes(dueMs)) window.endToEnd.record(nowMs - dueMs);
        }
      },
      goesOn: () =>
        (spec.reading === "share" || leftRecords > 0) &&
        (spec.reading === "drain" || performance.now() < window.endMs),
    });
    await consumer.run();
    if (spec.reading !== "each" || performance.now() >= window.endMs) return;
    leftRecords = ends.reduce((sum, end) => sum + end, 0);
  }
}

/** When the record at each offset was due: offsets follow the order of sending where a partition has one producer. */
class SentTimes {
  readonly #ends: readonly number[];
  readonly #times: number[][];

  constructor(ends: readonly number[]) {
    this.#ends = ends;
    this.#times = ends.map(() => []);
  }

  push(partition: number, dueMs: number): void {
    this.#times[partition]?.push(dueMs);
  }

  of(partition: number, offset: number): number {
    return this.#times[partition]?.[offset - (this.#ends[partition] ?? 0)] ?? Number.NEGATIVE_INFINITY;
  }
}

function resultOf(spec: LoadSpec, window: Window, seconds: number): LoadResult {
  const { produced, consumed } = window;
  const millions = (produced.records + consumed.records) / 1e6;
  return {
    seconds,
    producedPerSecond: produced.records / seconds,
    producedMegabytesPerSecond: produced.bytes / seconds / 1e6,
    latency: window.latencies.summary(),
    lag: window.lag.summary(),
    consumedPerSecond: consumed.records / seconds,
    consumedMegabytesPerSecond: consumed.bytes / seconds / 1e6,
    endToEnd: window.endToEnd.summary(),
    brokerCpuPerMillion: millions > 0 ? window.brokerCpuSeconds / millions : 0,
    brokerCpuShare: window.brokerCpuSeconds / seconds,
    generatorCpuShare: window.generatorCpuSeconds / seconds,
    brokerResidentBytes: residentBytes(spec.brokerPid),
  };
}
