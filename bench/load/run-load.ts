import { BatchPool, type RecordShape } from "./batch-pool.ts";
import { residentBytes } from "./broker-process.ts";
import type { LatencySummary } from "./histogram.ts";
import { type LeaderShare, LoadCluster } from "./load-cluster.ts";
import type { Address, LoadConnection } from "./load-connection.ts";
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
  /** Copies of each partition. */
  readonly replicas: number;
  readonly shape: RecordShape;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The brokers' processes, to measure. */
  readonly brokerPids: readonly number[];
  /** Each has a connection with every broker that leads. */
  readonly producers: number;
  readonly acks: -1 | 1;
  readonly produce: ProducePlan;
  readonly consumers: number;
  /**
   * "share": consumers share the partitions and read what is new. "drain": they share the partitions and read
   * from the start to the present end. "each": each reads everything from the start, again and again.
   */
  readonly reading: "share" | "drain" | "each";
}

/** What came out; rates are those of the window, processor time and memory of all brokers together. */
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
  const failure = Promise.withResolvers<never>();
  await using cluster = await LoadCluster.open(spec.address, failure.reject);
  return await Promise.race([measure(spec, cluster), failure.promise]);
}

async function measure(spec: LoadSpec, cluster: LoadCluster): Promise<LoadResult> {
  const { topic, partitions, replicas } = spec;
  const leaders = await ensureTopic(cluster, { name: topic, partitions, replicas });
  const ends = await endOffsets(cluster, topic, leaders);
  const producers = await connectProducers(spec, cluster, leaders);
  const readers = await connectReaders(spec, cluster, leaders);

  const isTimed = spec.reading !== "drain" && spec.produce.recordsMax === undefined;
  const beginMs = performance.now() + settleMs;
  const window = new Window(beginMs + (isTimed ? spec.warmupSeconds * 1000 : 0), spec.seconds);
  const sent = new SentTimes(ends);
  const isEndToEnd = readers.length > 0 && spec.reading === "share";

  await until(beginMs);
  const watching = isTimed ? window.watchCpu(spec.brokerPids) : undefined;
  const stopCpu = isTimed ? undefined : window.startCpu(spec.brokerPids);
  const onSend = isEndToEnd
    ? (partition: number, dueMs: number) => sent.push(partition, dueMs)
    : () => undefined;
  await Promise.all([
    watching,
    producers.length > 0
      ? runProduceLoad({ producers, plan: spec.produce, window, beginMs, onSend })
      : undefined,
    ...readers.map((reader) => read(spec, { ...reader, ends, window, sent })),
  ]);
  stopCpu?.();
  return resultOf(spec, window, isTimed ? window.seconds : (performance.now() - beginMs) / 1000);
}

/** Every producer has a connection with every leader, and sends it as many records as it leads of the partitions. */
async function connectProducers(
  spec: LoadSpec,
  cluster: LoadCluster,
  leaders: readonly LeaderShare[],
): Promise<LoadProducer[]> {
  const pool = new BatchPool(spec.shape, { random: Math.random, nowMs: Date.now() });
  const { topic, acks } = spec;
  const connecting = leaders.flatMap(({ nodeId, partitions }) =>
    Array.from({ length: spec.producers }, async (_, number) => {
      const connection = await cluster.connect(nodeId);
      const producerId = await newProducerId(connection);
      const start = Math.floor((number * partitions.length) / spec.producers);
      const share = partitions.length / spec.partitions / spec.producers;
      return new LoadProducer({ connection, producerId, pool, topic, acks, partitions, start, share });
    }),
  );
  return await Promise.all(connecting);
}

/** One consumer's connection with one leader, and what it reads there. */
interface Reader {
  readonly connection: LoadConnection;
  readonly partitions: ReadonlySet<number>;
}

async function connectReaders(
  spec: LoadSpec,
  cluster: LoadCluster,
  leaders: readonly LeaderShare[],
): Promise<Reader[]> {
  const wanted = Array.from({ length: spec.consumers }, (_, number) =>
    leaders.map(({ nodeId, partitions }) => ({
      nodeId,
      partitions: new Set(
        partitions.filter((partition) => spec.reading === "each" || partition % spec.consumers === number),
      ),
    })),
  );
  return await Promise.all(
    wanted
      .flat()
      .filter(({ partitions }) => partitions.size > 0)
      .map(async ({ nodeId, partitions }) => ({ partitions, connection: await cluster.connect(nodeId) })),
  );
}

interface Reading extends Reader {
  readonly ends: readonly number[];
  readonly window: Window;
  readonly sent: SentTimes;
}

/** Runs one reader to the end of its reading. */
async function read(spec: LoadSpec, { connection, partitions, ends, window, sent }: Reading): Promise<void> {
  const fromStart = spec.reading !== "share";
  const allRecords = ends.reduce((sum, end, partition) => sum + (partitions.has(partition) ? end : 0), 0);
  let leftRecords = allRecords;
  for (;;) {
    const consumer = new LoadConsumer({
      connection,
      topic: spec.topic,
      offsets: ends.map((end, partition) => (partitions.has(partition) ? (fromStart ? 0 : end) : undefined)),
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
    leftRecords = allRecords;
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
    brokerResidentBytes: spec.brokerPids.reduce((sum, pid) => sum + residentBytes(pid), 0),
  };
}
