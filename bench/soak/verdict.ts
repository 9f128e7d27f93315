import type { ReadingTally } from "./ledger.ts";
import type { ProcessSample, Sample } from "./sampler.ts";
import { fittedGrowth, quarters } from "./trend.ts";

/** Everything a run leaves to be judged. */
export interface SoakOutcome {
  readonly samples: readonly Sample[];
  /** Number of the life that is followed for growth: the longest one. */
  readonly judgedLife: number;
  /** Of that life, in ms: in a short one growth is the rest of the warm-up, and is told without being judged. */
  readonly judgedLifeMs: number;
  /** Bounds of what lies on the disk, in bytes. */
  readonly dataBytesMax: number;
  readonly journalBytesMax: number;
  /** What all readers found. */
  readonly tally: ReadingTally;
  readonly sentRecords: number;
  readonly acknowledgedRecords: number;
  /** Partitions whose end is not one past their last acknowledged record, after the last restart. */
  readonly wrongEndCount: number;
  readonly misplacedAcknowledgements: number;
  /** Keys of compacted logs whose last record is not the one acknowledged last. */
  readonly wrongKeyCount: number;
  /** Records that the groups had not read when all had time to. */
  readonly unreadRecords: number;
  readonly faults: readonly string[];
  readonly logErrors: readonly string[];
  readonly uncleanStops: number;
  readonly silentConnections: number;
  readonly leftDirectories: readonly string[];
}

/** One question and its answer. */
export interface Check {
  readonly name: string;
  readonly measured: string;
  readonly bound: string;
  readonly isMet: boolean;
}

/** Growth along a fitted line, from the end of the warm-up to the end of the life. */
const growthMax = { residentBytes: 24e6, heapBytes: 12e6, handles: 12 } as const;
/** Cache and dirty batches of 64 MB each, as they are by default, and what the process takes itself. */
const residentBytesMax = 400e6;
/** A life has to be so long for its growth to be judged. */
const growingLifeMsMin = 15 * 60_000;
/** Latencies of the last quarter against those of the first one: a factor, and what noise may do to small ones. */
const latencyFactorMax = 1.5;
const latencyNoiseMs = 3;
const lagFactorMax = 2;
const lagNoiseRecords = 1_000;

/** The first part of a life in which caches fill, segments reach their number and code is compiled. */
export const warmupShare = 0.25;

/** Samples of the judged life without its warm-up. */
export function judgedSamples({ samples, judgedLife }: SoakOutcome): readonly Sample[] {
  const ofLife = samples.filter(({ life }) => life === judgedLife);
  return ofLife.slice(Math.ceil(ofLife.length * warmupShare));
}

/** All checks of a run; it is good when every one is met. */
export function judge(outcome: SoakOutcome): readonly Check[] {
  return [
    ...lossChecks(outcome),
    ...growthChecks(outcome),
    ...latencyChecks(outcome),
    ...orderChecks(outcome),
  ];
}

function lossChecks(outcome: SoakOutcome): Check[] {
  const { tally } = outcome;
  return [
    none("records sent and never acknowledged", outcome.sentRecords - outcome.acknowledgedRecords),
    none("acknowledged records lost (gaps)", tally.gapCount),
    none("records doubled or out of order", tally.misplacedCount + outcome.misplacedAcknowledgements),
    none("partitions that end elsewhere after the last restart", outcome.wrongEndCount),
    none("keys of the compacted topic with another last record", outcome.wrongKeyCount),
    none("stored offsets forgotten", tally.lostCommitCount),
    none("records that a group had not read at the end", outcome.unreadRecords),
  ];
}

function growthChecks(outcome: SoakOutcome): Check[] {
  const judged = judgedSamples(outcome);
  const growthOf = (value: (process: ProcessSample) => number): number =>
    fittedGrowth(
      judged.flatMap(({ atMs, process }) => (process ? [{ at: atMs, value: value(process) }] : [])),
    );
  const grows = (name: string, value: number, bound: number, show: (value: number) => string): Check =>
    outcome.judgedLifeMs < growingLifeMsMin
      ? { name, measured: show(value), bound: "judged in longer runs", isMet: true }
      : atMost(name, value, bound, show);
  const most = (value: (sample: Sample) => number): number => Math.max(0, ...outcome.samples.map(value));
  return [
    grows(
      "resident memory, growth",
      growthOf((process) => process.residentBytes),
      growthMax.residentBytes,
      mb,
    ),
    atMost(
      "resident memory, most",
      most(({ process }) => process?.residentBytes ?? 0),
      residentBytesMax,
      mb,
    ),
    grows(
      "JavaScript heap, growth",
      growthOf((process) => process.heapUsedBytes),
      growthMax.heapBytes,
      mb,
    ),
    grows(
      "file handles, growth",
      growthOf((process) => process.handles),
      growthMax.handles,
      one,
    ),
    atMost(
      "segments on disk, most",
      most(({ dataBytes }) => dataBytes),
      outcome.dataBytesMax,
      mb,
    ),
    atMost(
      "journal on disk, most",
      most(({ journalBytes }) => journalBytes),
      outcome.journalBytesMax,
      mb,
    ),
  ];
}

function latencyChecks(outcome: SoakOutcome): Check[] {
  const judged = judgedSamples(outcome);
  const lag = quarters(judged.map(({ lagRecords }) => lagRecords));
  return [
    steady(
      "produce p50",
      judged.map(({ p50Ms }) => p50Ms),
    ),
    steady(
      "produce p99",
      judged.map(({ p99Ms }) => p99Ms),
    ),
    steady(
      "event loop delay p99",
      judged.flatMap(({ process }) => (process ? [process.loopP99Ms] : [])),
    ),
    atMost("consumer lag, last quarter", lag.last, lag.first * lagFactorMax + lagNoiseRecords, records),
  ];
}

function orderChecks(outcome: SoakOutcome): Check[] {
  return [
    none("answers and visits that went wrong", outcome.faults.length),
    none("lines at error in the log", outcome.logErrors.length),
    none("stops with another exit code than 0", outcome.uncleanStops),
    none("directories of deleted topics left", outcome.leftDirectories.length),
    none("silent connections that the broker did not end", outcome.silentConnections),
  ];
}

function steady(name: string, values: readonly number[]): Check {
  const { first, last } = quarters(values);
  return atMost(
    `${name}, last quarter`,
    last,
    Math.max(first * latencyFactorMax, first + latencyNoiseMs),
    ms,
  );
}

function none(name: string, count: number): Check {
  return { name, measured: String(count), bound: "0", isMet: count === 0 };
}

function atMost(name: string, value: number, bound: number, show: (value: number) => string): Check {
  return { name, measured: show(value), bound: `≤ ${show(bound)}`, isMet: value <= bound };
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function one(value: number): string {
  return value.toFixed(Number.isInteger(value) ? 0 : 1);
}

function records(value: number): string {
  return `${Math.round(value)} records`;
}
