import type { LoadResult } from "../load/run-load.ts";
import type { WorkloadChanges, WorkloadName } from "../load/workloads.ts";

/** One load of a scenario. */
export interface Step {
  readonly workload: WorkloadName;
  readonly changes?: WorkloadChanges;
  /** Done before it: the data leaves the broker's and the system's memory. */
  readonly cold?: boolean;
  /** A topic of its own instead of the scenario's. */
  readonly topic?: string;
}

/** What a load showed, and what the brokers told of it. */
export interface ScenarioResult extends LoadResult {
  /** Durable writes of the journal for each pass over the groups; undefined where there is no such journal. */
  readonly journalWritesPerPass: number | undefined;
}

/** What a scenario is measured by; aims are ratios to Kafka, as they stand in the project's goals. */
export interface Measure {
  readonly label: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** Undefined where a broker does not tell. */
  readonly of: (result: ScenarioResult) => number | undefined;
  readonly aim?: number;
  readonly aimWithFsync?: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** The last one is measured. */
  readonly steps: readonly Step[];
  readonly measures: readonly Measure[];
}

const rate: Measure = {
  label: "rate",
  unit: "k records/s",
  better: "higher",
  of: (result) => result.producedPerSecond / 1000,
};
const cpu: Measure = {
  label: "broker CPU",
  unit: "s per million records",
  better: "lower",
  of: (result) => result.brokerCpuPerMillion,
};
const p50: Measure = { label: "p50", unit: "ms", better: "lower", of: (result) => result.latency.p50Ms };
const p99: Measure = { label: "p99", unit: "ms", better: "lower", of: (result) => result.latency.p99Ms };
const p999: Measure = { label: "p99.9", unit: "ms", better: "lower", of: (result) => result.latency.p999Ms };
const endToEndP50: Measure = {
  label: "end-to-end p50",
  unit: "ms",
  better: "lower",
  of: (result) => result.endToEnd.p50Ms,
};
const endToEndP99: Measure = {
  label: "end-to-end p99",
  unit: "ms",
  better: "lower",
  of: (result) => result.endToEnd.p99Ms,
};
const readRate: Measure = {
  label: "read",
  unit: "MB/s",
  better: "higher",
  of: (result) => result.consumedMegabytesPerSecond,
};

const fullSpeedAims = { aim: 1, aimWithFsync: 4 };
const latencyAims = { aim: 1, aimWithFsync: 0.5 };

/** All comparisons, in the order in which they run. 1 KiB records and acks=all unless the title says otherwise. */
export const scenarios: readonly Scenario[] = [
  {
    name: "produce-1",
    title: "produce, full speed, 1 partition",
    steps: [{ workload: "produce", changes: { partitions: 1 } }],
    measures: [{ ...rate, ...fullSpeedAims }, p99, cpu],
  },
  {
    name: "produce-100",
    title: "produce, full speed, 100 partitions",
    steps: [{ workload: "produce", changes: { partitions: 100 } }],
    measures: [{ ...rate, ...fullSpeedAims }, p99, cpu],
  },
  {
    name: "produce-1000",
    title: "produce, full speed, 1,000 partitions",
    steps: [{ workload: "produce", changes: { partitions: 1000 } }],
    measures: [rate, p99, cpu],
  },
  {
    name: "steady-1",
    title: "produce, 5,000/s, linger 0, 1 partition",
    steps: [{ workload: "steady", changes: { partitions: 1 } }],
    measures: [p50, { ...p99, ...latencyAims }, p999, cpu],
  },
  {
    name: "steady-100",
    title: "produce, 5,000/s, linger 0, 100 partitions",
    steps: [{ workload: "steady", changes: { partitions: 100 } }],
    measures: [p50, { ...p99, ...latencyAims }, p999, cpu],
  },
  {
    name: "steady-1000",
    title: "produce, 5,000/s, linger 0, 1,000 partitions",
    steps: [{ workload: "steady", changes: { partitions: 1000 } }],
    measures: [p50, p99, p999, cpu],
  },
  {
    name: "keyed",
    title: "50 keyed producers, batches of two 100-byte records, full speed",
    steps: [{ workload: "keyed" }],
    measures: [rate, p99, cpu],
  },
  {
    name: "end-to-end",
    title: "1,000/s from producer to consumer",
    steps: [{ workload: "end-to-end" }],
    measures: [endToEndP50, { ...endToEndP99, aim: 1, aimWithFsync: 0.7 }, cpu],
  },
  {
    name: "tail",
    title: "3 consumers behind 10,000/s on 12 partitions",
    steps: [{ workload: "tail" }],
    measures: [endToEndP50, endToEndP99, p99, cpu],
  },
  {
    name: "drain-cached",
    title: "drain of 60 MB just written",
    steps: [{ workload: "fill", changes: { records: 60_000 } }, { workload: "drain" }],
    measures: [{ ...readRate, aim: 1 }, cpu],
  },
  {
    name: "drain-cold",
    title: "drain of 600 MB from the disk",
    steps: [
      { workload: "fill", changes: { records: 600_000 } },
      { workload: "fill", changes: { records: 30_000 }, cold: true, topic: "warm" },
      // What makes it cold may be a new process: its code gets warm on other data.
      { workload: "drain", topic: "warm" },
      { workload: "drain" },
    ],
    measures: [{ ...readRate, aim: 1 }, cpu],
  },
  {
    name: "behind",
    title: "20 consumers read 300 MB again and again beside 2,000/s",
    steps: [{ workload: "fill" }, { workload: "behind" }],
    measures: [readRate, p99, cpu],
  },
];

const replicatedRate: Measure = { ...rate, aim: 1.5 };
const replicatedP99: Measure = { ...p99, aim: 0.5 };
const cpuOfAll: Measure = { ...cpu, label: "CPU of all brokers" };

/** What three nodes are compared by: three replicas of each partition, and acks=all. */
export const clusterScenarios: readonly Scenario[] = [
  {
    name: "produce-1",
    title: "produce, full speed, 1 partition",
    steps: [{ workload: "produce", changes: { partitions: 1 } }],
    measures: [replicatedRate, p99, cpuOfAll],
  },
  {
    name: "produce-100",
    title: "produce, full speed, 100 partitions",
    steps: [{ workload: "produce", changes: { partitions: 100 } }],
    measures: [replicatedRate, p99, cpuOfAll],
  },
  {
    name: "steady-1",
    title: "produce, 5,000/s, linger 0, 1 partition",
    steps: [{ workload: "steady", changes: { partitions: 1 } }],
    measures: [p50, replicatedP99, p999, cpuOfAll],
  },
  {
    name: "steady-100",
    title: "produce, 5,000/s, linger 0, 100 partitions",
    steps: [{ workload: "steady", changes: { partitions: 100 } }],
    measures: [p50, replicatedP99, p999, cpuOfAll],
  },
  {
    name: "groups-256",
    title: "produce, full speed, 256 partitions",
    steps: [{ workload: "produce", changes: { partitions: 256 } }],
    measures: [
      rate,
      p99,
      cpuOfAll,
      {
        label: "journal writes for each pass (aim ≤ 1.5)",
        unit: "",
        better: "lower",
        of: (result) => result.journalWritesPerPass,
      },
    ],
  },
];
