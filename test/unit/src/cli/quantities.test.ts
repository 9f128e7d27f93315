import { describe, expect, test } from "vitest";
import { countOf, formatBytes, formatCount, formatDuration, formatTime } from "#src/cli/quantities.ts";

describe("quantities", () => {
  test("read well", () => {
    expect([0, 1023, 1024, 1536, 10_240, 5 * 2 ** 30].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "10 KiB",
      "5.0 GiB",
    ]);
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([300, 42_000, 185_000, 7_800_000].map(formatDuration)).toEqual([
      "0.3 s",
      "42 s",
      "3 min 5 s",
      "2 h 10 min",
    ]);
    expect([countOf(1, "record"), countOf(2, "batch"), countOf(3, "entry")]).toEqual([
      "1 record",
      "2 batches",
      "3 entries",
    ]);
    expect([formatTime(0), formatTime(-1), formatTime(9e15)]).toEqual(["1970-01-01T00:00:00.000Z", "-", "-"]);
  });
});
