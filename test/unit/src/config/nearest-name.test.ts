import { expect, test } from "vitest";
import { editDistance, nearestName } from "#src/config/nearest-name.ts";

test("the distance counts insertions, deletions, replacements and swaps", () => {
  expect(editDistance("log.dirs", "log.dirs")).toBe(0);
  expect(editDistance("log.dir", "log.dirs")).toBe(1);
  expect(editDistance("lgo.dirs", "log.dirs")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("kitten", "sitting")).toBe(3);
});

test("the nearest name is found without regard to case", () => {
  expect(nearestName("Log.Dris", ["listeners", "log.dirs", "log.roll.ms"])).toBe("log.dirs");
});

test("nothing is suggested where nothing is near", () => {
  expect(nearestName("frobnicate", ["listeners", "log.dirs"])).toBeUndefined();
});
