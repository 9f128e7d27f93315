import { expect, test } from "vitest";
import { expose, seriesPerFamilyMax } from "#src/telemetry/exposition.ts";
import { LatencyHistogram } from "#src/telemetry/latency-histogram.ts";
import type { MetricFamily } from "#src/telemetry/metric-family.ts";

const noTurn = () => Promise.resolve();

async function linesOf(families: readonly MetricFamily<undefined>[], turn = noTurn): Promise<string[]> {
  const text = await expose(families, undefined, turn);
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

test("a family is its help, its type and its series", async () => {
  const lines = await linesOf([
    {
      name: "millrace_things_total",
      kind: "counter",
      help: "Things.",
      labels: ["topic", "partition"],
      read: () => [
        { labels: ["a", "0"], value: 3 },
        { labels: ["b", "1"], value: 2 ** 53 - 1 },
      ],
    },
  ]);
  expect(lines.slice(0, 4)).toEqual([
    "# HELP millrace_things_total Things.",
    "# TYPE millrace_things_total counter",
    'millrace_things_total{topic="a",partition="0"} 3',
    'millrace_things_total{topic="b",partition="1"} 9007199254740991',
  ]);
});

test("a family without a series is not named at all", async () => {
  const text = (
    await linesOf([{ name: "millrace_nothing", kind: "gauge", help: "None.", labels: [], read: () => [] }])
  ).join("\n");
  expect(text).not.toContain("millrace_nothing");
});

test("label values that clients made up cannot break the format", async () => {
  const hostile = 'a"b\\c\nd} 1';
  const lines = await linesOf([
    {
      name: "millrace_g",
      kind: "gauge",
      help: "two\nlines \\",
      labels: ["group"],
      read: () => [{ labels: [hostile], value: 1 }],
    },
  ]);
  expect(lines[0]).toBe("# HELP millrace_g two\\nlines \\\\");
  expect(lines[2]).toBe('millrace_g{group="a\\"b\\\\c\\nd} 1"} 1');
});

test("a histogram is cumulative, in seconds, and ends with infinity, sum and count", async () => {
  const histogram = new LatencyHistogram();
  for (const durationMs of [0.125, 0.25, 0.375, 3, 60_000]) histogram.observe(durationMs);
  const lines = await linesOf([
    {
      name: "millrace_wait_seconds",
      kind: "histogram",
      help: "Waits.",
      labels: ["request"],
      read: () => [{ labels: ["fetch"], histogram }],
    },
  ]);
  const bucket = (le: string) =>
    lines.find((line) => line.startsWith(`millrace_wait_seconds_bucket{request="fetch",le="${le}"}`));
  expect(bucket("0.00025")?.split(" ").at(-1)).toBe("2");
  expect(bucket("0.0005")?.split(" ").at(-1)).toBe("3");
  expect(bucket("0.002")?.split(" ").at(-1)).toBe("3");
  expect(bucket("0.004")?.split(" ").at(-1)).toBe("4");
  expect(bucket("16.384")?.split(" ").at(-1)).toBe("4");
  expect(bucket("+Inf")?.split(" ").at(-1)).toBe("5");
  expect(lines).toContain('millrace_wait_seconds_sum{request="fetch"} 60.00375');
  expect(lines).toContain('millrace_wait_seconds_count{request="fetch"} 5');
});

test("a family of too many series is cut, and that is told", async () => {
  function* many() {
    for (let at = 0; ; at++) yield { labels: [`group-${at}`], value: at };
  }
  const lines = await linesOf([
    { name: "millrace_many", kind: "gauge", help: "Many.", labels: ["group"], read: many },
  ]);
  expect(lines.filter((line) => line.startsWith("millrace_many{"))).toHaveLength(seriesPerFamilyMax);
  expect(lines.at(-1)).toBe("millrace_metrics_truncated_families 1");
});

test("others have their turn while much is written", async () => {
  let turns = 0;
  const turn = async () => {
    turns += 1;
  };
  const read = () => Array.from({ length: 5_000 }, (_, at) => ({ labels: [], value: at }));
  await linesOf([{ name: "millrace_much", kind: "gauge", help: "Much.", labels: [], read }], turn);
  expect(turns).toBeGreaterThanOrEqual(10);
});
