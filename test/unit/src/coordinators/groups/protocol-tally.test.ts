import { expect, test } from "vitest";
import { ProtocolTally, winnerOf } from "#src/coordinators/groups/protocol-tally.ts";

test("names what all members support, also after some left", () => {
  const tally = new ProtocolTally();
  tally.add(new Set(["range", "sticky"]));
  tally.add(new Set(["range"]));
  expect(tally.supportedByAll(2)).toEqual(new Set(["range"]));
  tally.remove(new Set(["range"]));
  expect(tally.supportedByAll(1)).toEqual(new Set(["range", "sticky"]));
  tally.remove(new Set(["range", "sticky"]));
  expect(tally.supporters("range")).toBe(0);
});

test("the most votes win, and of equals the first that was voted for", () => {
  expect(winnerOf(["a", "b", "b"])).toBe("b");
  expect(winnerOf(["b", "a", "a", "b"])).toBe("b");
  expect(winnerOf([])).toBeUndefined();
});
