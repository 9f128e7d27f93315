import type { LoadSpec } from "./run-load.ts";

/** A load without the place where it runs. */
export type Workload = Omit<LoadSpec, "address" | "topic" | "brokerPids">;

const defaults: Workload = {
  partitions: 1,
  replicas: 1,
  shape: { valueBytes: 1024, keyBytes: 0 },
  warmupSeconds: 3,
  seconds: 8,
  producers: 4,
  acks: -1,
  // Clients' defaults: 5 requests under way, batches of 16 KiB.
  produce: { rate: undefined, batchRecords: 15, requestBatches: 8, inFlightMax: 5, recordsMax: undefined },
  consumers: 0,
  reading: "share",
};

/** The loads by name; options of the command line change single numbers of them. */
export const workloads = {
  /** Full batches as fast as the broker answers. */
  produce: defaults,
  /** Records sent when they are due, one by one unless the broker lags. */
  steady: { ...defaults, produce: { ...defaults.produce, rate: 5_000, requestBatches: 64 } },
  /** Many producers, each request a few small batches for different keys' partitions. */
  keyed: {
    ...defaults,
    partitions: 24,
    producers: 50,
    shape: { valueBytes: 100, keyBytes: 16 },
    produce: { ...defaults.produce, batchRecords: 2, requestBatches: 6, inFlightMax: 2 },
  },
  /** One record at a time from producer to consumer. */
  "end-to-end": {
    ...defaults,
    producers: 1,
    consumers: 1,
    produce: { ...defaults.produce, rate: 1_000 },
  },
  /** Consumers that keep up with producers on several partitions. */
  tail: {
    ...defaults,
    partitions: 12,
    producers: 1,
    consumers: 3,
    produce: { ...defaults.produce, rate: 10_000, requestBatches: 64 },
  },
  /** Writes a backlog, for the next two. */
  fill: { ...defaults, seconds: 600, produce: { ...defaults.produce, recordsMax: 300_000 } },
  /** Reads what is there, once. */
  drain: { ...defaults, seconds: 600, producers: 0, consumers: 1, reading: "drain" },
  /** Consumers far behind, each reading everything, while producers go on. */
  behind: {
    ...defaults,
    producers: 1,
    consumers: 20,
    reading: "each",
    produce: { ...defaults.produce, rate: 2_000 },
  },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof workloads;

/** Numbers of a workload that may be given another value, by the option's name. */
export interface WorkloadChanges {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly valueBytes?: number;
  readonly keyBytes?: number;
  readonly warmup?: number;
  readonly seconds?: number;
  readonly producers?: number;
  readonly consumers?: number;
  readonly acks?: number;
  /** Records a second; 0 is full speed. */
  readonly rate?: number;
  readonly batchRecords?: number;
  readonly requestBatches?: number;
  readonly inFlight?: number;
  readonly records?: number;
}

/** A workload with some of its numbers changed. */
export function withChanges(base: Workload, changes: WorkloadChanges): Workload {
  const { produce, shape } = base;
  const rate = changes.rate === 0 ? undefined : (changes.rate ?? produce.rate);
  return {
    ...base,
    partitions: changes.partitions ?? base.partitions,
    replicas: changes.replicas ?? base.replicas,
    shape: {
      valueBytes: changes.valueBytes ?? shape.valueBytes,
      keyBytes: changes.keyBytes ?? shape.keyBytes,
    },
    warmupSeconds: changes.warmup ?? base.warmupSeconds,
    seconds: changes.seconds ?? base.seconds,
    producers: changes.producers ?? base.producers,
    consumers: changes.consumers ?? base.consumers,
    acks: changes.acks === 1 ? 1 : base.acks,
    produce: {
      rate,
      batchRecords: changes.batchRecords ?? produce.batchRecords,
      requestBatches: changes.requestBatches ?? produce.requestBatches,
      inFlightMax: changes.inFlight ?? produce.inFlightMax,
      recordsMax: changes.records ?? produce.recordsMax,
    },
  };
}
