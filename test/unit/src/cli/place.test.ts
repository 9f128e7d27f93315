import { describe, expect, test } from "vitest";
import { UsageError } from "#src/cli/failure.ts";
import { parsePlace } from "#src/cli/place.ts";

describe("places", () => {
  test.each([
    ["beginning", { kind: "time", timestampMs: -2 }],
    ["latest", { kind: "time", timestampMs: -1 }],
    ["17", { kind: "offset", offset: 17 }],
    ["-10", { kind: "shift", by: -10 }],
    ["+3", { kind: "shift", by: 3 }],
    ["@1700000000000", { kind: "time", timestampMs: 1_700_000_000_000 }],
    ["2026-01-31T12:00:00Z", { kind: "time", timestampMs: Date.UTC(2026, 0, 31, 12) }],
    ["2026-01-31", { kind: "time", timestampMs: Date.UTC(2026, 0, 31) }],
  ])("%s", (text, place) => {
    expect(parsePlace("--from", text)).toEqual(place);
  });

  test.each(["", "x", "2026", "1.5", "--", "2026-13-01", "99999999999999999999"])("%j is none", (text) => {
    // A bare year is an offset, and looks like one.
    if (text === "2026") expect(parsePlace("--from", text)).toEqual({ kind: "offset", offset: 2026 });
    else expect(() => parsePlace("--from", text)).toThrow(UsageError);
  });
});
