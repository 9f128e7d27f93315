import type { PeerName } from "./peer.ts";
import type { PeerRun } from "./run-peer.ts";
import type { Measure, Scenario } from "./scenarios.ts";

/** All runs of each broker. */
export type PeerRuns = ReadonlyMap<PeerName, readonly PeerRun[]>;

const header = [
  "| work | measure | Kafka | Kafka, fsync | Millrace | ÷ Kafka | aim | ÷ Kafka, fsync | aim |",
  "|---|---|---|---|---|---|---|---|---|",
];

/** The comparison as a Markdown table: medians over the runs, and Millrace's ratios to both Kafkas. */
export function table(
  runs: PeerRuns,
  { scenarios, nodes }: { readonly scenarios: readonly Scenario[]; readonly nodes: number },
): string {
  const rows = scenarios.flatMap((scenario) =>
    scenario.measures.map((measure, at) =>
      row(at === 0 ? scenario.title : "", measure, (name) =>
        median(
          (runs.get(name) ?? []).flatMap((run) => {
            const result = run.results.get(scenario.name);
            const value = result && measure.of(result);
            return value === undefined ? [] : [value];
          }),
        ),
      ),
    ),
  );
  return [...header, ...rows, ...processRows(runs, nodes), ...spreadRow(runs)].join("\n");
}

function processRows(runs: PeerRuns, nodes: number): string[] {
  const of = (read: (run: PeerRun) => number) => (name: PeerName) => median((runs.get(name) ?? []).map(read));
  const start: Measure = { label: "time", unit: "ms", better: "lower", of: () => 0 };
  const memory: Measure = { label: "resident", unit: "MB", better: "lower", of: () => 0 };
  if (nodes > 1) {
    return [
      row(
        `start of ${nodes} nodes until all serve`,
        start,
        of((run) => run.startMs),
      ),
      row(
        `memory of ${nodes} nodes after load`,
        memory,
        of((run) => run.loadedBytes / 1e6),
      ),
    ];
  }
  return [
    row(
      "start to serving (aim < 500 ms)",
      { ...start, aim: 0.15 },
      of((run) => run.startMs),
    ),
    row(
      "memory, idle (aim ≤ 100 MB)",
      memory,
      of((run) => run.idleBytes / 1e6),
    ),
    row(
      "memory after load (aim ≤ 300 MB)",
      memory,
      of((run) => run.loadedBytes / 1e6),
    ),
  ];
}

/** The aim that compares Millrace with itself: many partitions must not cost latency. */
function spreadRow(runs: PeerRuns): string[] {
  const spread = (name: PeerName): number | undefined => {
    const p99Of = (scenario: string): number | undefined =>
      median(
        (runs.get(name) ?? []).flatMap((run) => {
          const result = run.results.get(scenario);
          return result ? [result.latency.p99Ms] : [];
        }),
      );
    const [one, thousand] = [p99Of("steady-1"), p99Of("steady-1000")];
    return one && thousand ? thousand / one : undefined;
  };
  if (spread("millrace") === undefined) return [];
  const measure: Measure = { label: "ratio", unit: "", better: "lower", of: () => 0 };
  return [row("produce p99, 1,000 partitions ÷ 1 partition (aim ≤ 1.5)", measure, spread)];
}

function row(title: string, measure: Measure, measured: (name: PeerName) => number | undefined): string {
  const [kafka, fsync, millrace] = [measured("kafka"), measured("kafka-fsync"), measured("millrace")];
  const cells = [
    title,
    [measure.label, measure.unit].filter((part) => part !== "").join(", "),
    number(kafka),
    number(fsync),
    number(millrace),
    ...ratioCells(measure.better, ratio(millrace, kafka), measure.aim),
    ...ratioCells(measure.better, ratio(millrace, fsync), measure.aimWithFsync),
  ];
  return `| ${cells.join(" | ")} |`;
}

function ratioCells(better: Measure["better"], value: number | undefined, aim: number | undefined): string[] {
  if (aim === undefined || value === undefined) return [number(value), ""];
  const isMet = better === "higher" ? value >= aim : value <= aim;
  return [number(value), `${better === "higher" ? "≥" : "≤"} ${aim} ${isMet ? "met" : "**missed**"}`];
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || !base ? undefined : value / base;
}

function number(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(value >= 10 ? 3 : 2);
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (sorted.length % 2 === 1 || upper === undefined || lower === undefined) return upper;
  return (lower + upper) / 2;
}
