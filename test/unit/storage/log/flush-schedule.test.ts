import { expect, test } from "vitest";
import { logsToFlush } from "#storage/log/flush-schedule.ts";

const logs = [
  { name: "clean", dirtyBytes: 0, dirtySinceMs: undefined },
  { name: "full", dirtyBytes: 1000, dirtySinceMs: 99 },
  { name: "old", dirtyBytes: 10, dirtySinceMs: 50 },
  { name: "small", dirtyBytes: 20, dirtySinceMs: 99 },
  { name: "larger", dirtyBytes: 300, dirtySinceMs: 99 },
];
const limits = { nowMs: 100, flushBytes: 1000, flushAfterMs: 50, excessBytes: 0 };
const names = (excessBytes: number) => logsToFlush(logs, { ...limits, excessBytes }).map(({ name }) => name);

test("full and old logs are due", () => {
  expect(names(0)).toEqual(["full", "old"]);
});

test("under pressure the fullest of the others go first, and no more than needed", () => {
  expect(names(1010)).toEqual(["full", "old"]);
  expect(names(1011)).toEqual(["full", "old", "larger"]);
  expect(names(5000)).toEqual(["full", "old", "larger", "small"]);
});
