/** Milliseconds of every measurement, by what was measured. */
export interface FailoverResults {
  readonly kill: number[];
  readonly pause: number[];
  readonly stop: number[];
  readonly many: number[];
}

export const noResults = (): FailoverResults => ({ kill: [], pause: [], stop: [], many: [] });

export const measureNames: Readonly<Record<keyof FailoverResults, string>> = {
  kill: "kill -9 of a leader, to the next acknowledged record",
  pause: "SIGSTOP of a leader, to the next record that others acknowledge",
  stop: "a leader stops in order, longest time without an acknowledged record",
  many: "kill -9 of a node, to a record acknowledged in each of 1,000 groups",
};

interface Aim {
  readonly share: number;
  readonly ms: number;
}

const aims: Readonly<Record<keyof FailoverResults, readonly Aim[]>> = {
  kill: [
    { share: 0.5, ms: 800 },
    { share: 0.99, ms: 2_500 },
  ],
  pause: [],
  stop: [{ share: 0.99, ms: 150 }],
  many: [{ share: 1, ms: 5_000 }],
};

const shares = [0.5, 0.9, 0.99, 1];

/** The measurements as a Markdown table, with what is aimed at. */
export function failoverTable(results: FailoverResults): string {
  const names = Object.keys(measureNames) as (keyof FailoverResults)[];
  const rows = names.map((name) => {
    const all = results[name];
    const cells = shares.map((share) => (all.length === 0 ? "" : quantile(all, share).toFixed(0)));
    return `| ${[measureNames[name], all.length, ...cells, aims[name].map((aim) => verdict(all, aim)).join(", ")].join(" | ")} |`;
  });
  return [
    "| what | runs | p50, ms | p90, ms | p99, ms | max, ms | aim |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The smallest value that is not below `share` of all. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function verdict(values: readonly number[], { share, ms }: Aim): string {
  const name = share === 1 ? "max" : `p${share * 100}`;
  const isMet = values.length > 0 && quantile(values, share) <= ms;
  return `${name} ≤ ${ms} ${isMet ? "met" : "**missed**"}`;
}
