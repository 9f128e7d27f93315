import { expect, test } from "vitest";
import { readMetrics } from "../../../../bench/soak/metrics-text.ts";

test("values are read by name, and series with labels are added up", () => {
  const metrics = readMetrics(
    [
      "# HELP nodejs_heap_size_used_bytes JavaScript heap in use.",
      "# TYPE nodejs_heap_size_used_bytes gauge",
      "nodejs_heap_size_used_bytes 1.5e7",
      'connections{listener="PLAINTEXT"} 3',
      'connections{listener="a } b"} 4',
      "",
    ].join("\n"),
  );
  expect([...metrics]).toEqual([
    ["nodejs_heap_size_used_bytes", 1.5e7],
    ["connections", 7],
  ]);
});
