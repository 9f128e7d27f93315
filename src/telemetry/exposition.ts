import { type LatencyHistogram, latencyBoundsMs } from "./latency-histogram.ts";
import type { MetricFamily } from "./metric-family.ts";

/** Prometheus' text format, version 0.0.4. */
export const expositionContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Lines written in one go: some tenths of a millisecond, so that requests need not wait for a scrape. */
const linesPerTurn = 500;

/** Series of one family: names that clients make up must not fill a monitoring system. What is beyond is left out. */
export const seriesPerFamilyMax = 50_000;

/** Tells that something was left out; the last family of every exposition. */
export const truncatedFamilies = {
  name: "millrace_metrics_truncated_families",
  help: `Metrics of which series were left out, having more than ${seriesPerFamilyMax}: see millrace.metrics.detail.`,
} as const;

const boundLabels = latencyBoundsMs.map((boundMs) => formatValue(boundMs / 1_000));

/** Writes out all families; `turn` lets other work run between two stretches of lines. */
export async function expose<Source>(
  families: readonly MetricFamily<Source>[],
  source: Source,
  turn: () => Promise<void>,
): Promise<string> {
  const parts: string[] = [];
  let lines: string[] = [];
  for (const line of linesOf(families, source)) {
    lines.push(line);
    if (lines.length < linesPerTurn) continue;
    parts.push(lines.join(""));
    lines = [];
    await turn();
  }
  return parts.join("") + lines.join("");
}

function* linesOf<Source>(families: readonly MetricFamily<Source>[], source: Source): Generator<string> {
  let truncatedCount = 0;
  for (const family of families) {
    // A family without a series says nothing, not even its name: what is off is not shown as 0.
    let count = 0;
    for (const line of seriesOf(family, source)) {
      if (count === 0) yield headOf(family);
      count += 1;
      if (count > seriesPerFamilyMax) {
        truncatedCount += 1;
        break;
      }
      yield line;
    }
  }
  yield headOf({ ...truncatedFamilies, kind: "gauge" });
  yield `${truncatedFamilies.name} ${truncatedCount}\n`;
}

function headOf({ name, help, kind }: { name: string; help: string; kind: string }): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
}

function* seriesOf<Source>(family: MetricFamily<Source>, source: Source): Generator<string> {
  if (family.kind === "histogram") {
    for (const { labels, histogram } of family.read(source)) {
      yield histogramLines(family.name, labelPairs(family.labels, labels), histogram);
    }
    return;
  }
  for (const { labels, value } of family.read(source)) {
    const pairs = labelPairs(family.labels, labels);
    yield `${family.name}${pairs === "" ? "" : `{${pairs}}`} ${formatValue(value)}\n`;
  }
}

function histogramLines(name: string, pairs: string, histogram: LatencyHistogram): string {
  const before = pairs === "" ? "" : `${pairs},`;
  const braces = pairs === "" ? "" : `{${pairs}}`;
  const buckets = histogram
    .cumulativeCounts()
    .map((count, at) => `${name}_bucket{${before}le="${boundLabels[at]}"} ${count}\n`);
  return [
    ...buckets,
    `${name}_bucket{${before}le="+Inf"} ${histogram.count}\n`,
    `${name}_sum${braces} ${formatValue(histogram.sumMs / 1_000)}\n`,
    `${name}_count${braces} ${histogram.count}\n`,
  ].join("");
}

function labelPairs(names: readonly string[], values: readonly string[]): string {
  let pairs = "";
  for (const [at, name] of names.entries()) {
    if (at > 0) pairs += ",";
    pairs += `${name}="${escapeLabel(values[at] ?? "")}"`;
  }
  return pairs;
}

/** Group ids and client-made names may hold anything. */
function escapeLabel(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
