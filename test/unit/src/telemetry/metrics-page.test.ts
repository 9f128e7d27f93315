import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricFamilies } from "#src/telemetry/metric-families.ts";
import { metricsPage } from "#src/telemetry/metrics-page.ts";

test("docs/metrics.md is what the metrics declare: node src/telemetry/write-docs.ts brings it up to date", () => {
  const committed = readFileSync(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");
  expect(committed).toBe(metricsPage());
});

test("names and labels are legal, and no name stands twice", () => {
  const names = metricFamilies.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, labels } of metricFamilies) {
    expect(name).toMatch(/^(kafka|millrace|process|nodejs)_[a-z0-9_]+$/);
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
  }
});

test("counters, and only they, end in _total, and durations are in seconds", () => {
  for (const { name, kind } of metricFamilies) {
    expect([name, name.endsWith("_total")]).toEqual([name, kind === "counter"]);
    if (kind === "histogram") expect(name).toMatch(/_seconds$/);
  }
});
