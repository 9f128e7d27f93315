import { drawPlot, type Mark, type Plot, type Series } from "./plot.ts";
import type { ProcessSample, Sample } from "./sampler.ts";
import type { SoakResult } from "./soak-run.ts";
import { median } from "./trend.ts";
import { type Check, judgedSamples } from "./verdict.ts";

/** The checks as a Markdown table. */
export function checkTable(checks: readonly Check[]): string {
  return [
    "| check | measured | bound | |",
    "|---|---|---|---|",
    ...checks.map(
      ({ name, measured, bound, isMet }) =>
        `| ${name} | ${measured} | ${bound} | ${isMet ? "met" : "**missed**"} |`,
    ),
  ].join("\n");
}

/** What happened, and how it went, as a Markdown list. */
export function facts(result: SoakResult): string {
  const { plan, outcome, counts, latency, lives, warnings } = result;
  const judged = judgedSamples(outcome);
  const middle = (value: (sample: Sample) => number): string => median(judged.map(value)).toFixed(1);
  const ended = (ending: string): number => lives.filter((life) => life.ending === ending).length;
  const startsMs = lives.map(({ begunMs, servingMs = begunMs }) => servingMs - begunMs);
  const told = [...warnings].map(([message, count]) => `"${message}" ${count} times`);
  return [
    `- ${plan.minutes} minutes at ${count(plan.rate)} records/s: ${count(outcome.acknowledgedRecords)} acknowledged, ` +
      `${count(counts.readRecords)} read, ${count(counts.redeliveredRecords)} of them again.`,
    `- ${ended("stop")} stops in order, ${ended("kill")} times kill -9; a start takes ${Math.round(median(startsMs))} ms, ` +
      `at most ${Math.round(Math.max(...startsMs))} ms; ${count(counts.resentRequests)} requests were sent again.`,
    `- ${count(counts.visits)} visits, ${count(counts.silentEnded)} silent connections ended, ` +
      `${count(counts.passingTopics)} topics created and deleted, ${count(counts.rebalances)} rebalances, ` +
      `${count(counts.catchUps)} readings from a log's start.`,
    `- ${count(counts.removedSegments)} segments removed by retention, ${count(counts.compactions)} compactions.`,
    `- Latency from when a record was due, 5 ms of linger included: p50 ${middle(({ p50Ms }) => p50Ms)} ms and ` +
      `p99 ${middle(({ p99Ms }) => p99Ms)} ms (medians of the intervals of the judged life); over all records, ` +
      `restarts included, p50 ${latency.p50Ms.toFixed(1)} ms, p99 ${latency.p99Ms.toFixed(1)} ms, ` +
      `p99.9 ${latency.p999Ms.toFixed(1)} ms.`,
    `- Warnings in the broker's log: ${told.length === 0 ? "none" : told.join(", ")}.`,
  ].join("\n");
}

/** The pictures, by file name. */
export function pictures(result: SoakResult): ReadonlyMap<string, string> {
  return new Map(
    plots(result).map(([name, plot]) => [`soak-${name}.svg`, drawPlot(plot)] satisfies [string, string]),
  );
}

function plots(result: SoakResult): [name: string, plot: Plot][] {
  const { samples } = result.outcome;
  const base = { minutes: result.plan.minutes, marks: marksOf(result), scale: "linear" } as const;
  const line = (name: string, value: (sample: Sample) => number | undefined): Series => ({
    name,
    points: samples.map((sample) => [sample.atMs / 60_000, value(sample)]),
  });
  const ofProcess = (name: string, value: (process: ProcessSample) => number): Series =>
    line(name, ({ process }) => process && value(process));
  const megabytes = 1e6;
  return [
    [
      "memory",
      {
        ...base,
        title: "Memory of the broker",
        unit: "MB",
        series: [
          ofProcess("resident", (process) => process.residentBytes / megabytes),
          ofProcess("JavaScript heap", (process) => process.heapTotalBytes / megabytes),
          ofProcess("of it in use", (process) => process.heapUsedBytes / megabytes),
        ],
      },
    ],
    [
      "latency",
      {
        ...base,
        title: "Produce latency in each interval, counted from when a record was due (logarithmic)",
        unit: "ms",
        scale: "log",
        series: [
          line("p50", ({ p50Ms, records }) => (records > 0 ? p50Ms : undefined)),
          line("p99", ({ p99Ms, records }) => (records > 0 ? p99Ms : undefined)),
          ofProcess("event loop delay p99", (process) => process.loopP99Ms),
        ],
      },
    ],
    [
      "handles",
      {
        ...base,
        title: "File handles and connections of the broker",
        unit: "",
        series: [
          ofProcess("file handles", (process) => process.handles),
          ofProcess("connections", (process) => process.connections),
        ],
      },
    ],
    [
      "disk",
      {
        ...base,
        title: "Data on the disk",
        unit: "MB",
        series: [
          line("segments and indexes", ({ dataBytes }) => dataBytes / megabytes),
          line("journal", ({ journalBytes }) => journalBytes / megabytes),
        ],
      },
    ],
    [
      "lag",
      {
        ...base,
        title: "Records acknowledged and not yet delivered, both groups together (logarithmic)",
        unit: "",
        scale: "log",
        series: [line("consumer lag", ({ lagRecords }) => lagRecords)],
      },
    ],
  ];
}

function marksOf({ lives, beginMs, plan }: SoakResult): Mark[] {
  return lives.flatMap(({ endedMs, ending }) => {
    if (endedMs === undefined || (ending !== "stop" && ending !== "kill")) return [];
    const minutes = (endedMs - beginMs) / 60_000;
    return minutes <= plan.minutes ? [{ minutes, kind: ending }] : [];
  });
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
