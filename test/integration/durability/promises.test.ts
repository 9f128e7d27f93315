import { expect, test } from "vitest";
import { brokenPromises } from "./promises.ts";

// A check that cannot fail proves nothing: each way to break a promise is seen.
const ledgers = [{ next: 5, acknowledged: [0, 1, 3] }];
const found = (...numbers: readonly number[]) => [numbers.map((number) => ({ writer: "w", number }))];
const plain = { name: "w", isComplete: false, ledgers };
const complete = { name: "w", isComplete: true, ledgers };

test("what was acknowledged is there, with or without what was not", () => {
  expect(brokenPromises(plain, found(0, 1, 3))).toEqual([]);
  expect(brokenPromises(plain, found(0, 1, 2, 3, 4))).toEqual([]);
  expect(brokenPromises(complete, found(0, 1, 2, 3, 4))).toEqual([]);
});

test.each([
  ["a lost record", plain, found(0, 1), "lost: 1 records, first 3"],
  ["a lost partition", plain, [], "lost: 3 records, first 0, 1, 3"],
  ["a record twice", plain, found(0, 1, 1, 3), "twice or out of order: 1 records, first 1"],
  ["records out of order", plain, found(1, 0, 3), "twice or out of order: 1 records, first 0"],
  ["a record that nobody sent", plain, found(0, 1, 3, 9), "never sent: 1 records, first 9"],
  ["a gap in a complete writer's records", complete, found(0, 1, 3, 4), "lost: 1 records, first 2"],
])("%s is seen", (_name, promised, records, sentence) => {
  expect(brokenPromises(promised, records)).toEqual([`w in partition 0: ${sentence}`]);
});

test("another writer's records are not this one's", () => {
  const others = [[0, 1, 3].map((number) => ({ writer: "other", number }))];
  expect(brokenPromises(plain, others)).toHaveLength(1);
});
