import { expect, test } from "vitest";
import { EpochIndex } from "#storage/log/epoch-index.ts";

const index = () =>
  new EpochIndex([
    { epoch: 2, startOffset: 10 },
    { epoch: 5, startOffset: 20 },
    { epoch: 6, startOffset: 30 },
  ]);

test("a past epoch ends where the next begins, the latest at the end, a future one is unknown (trap 37)", () => {
  expect(index().endOffsetOf(7, 44)).toEqual({ epoch: -1, endOffset: -1 });
  expect(index().endOffsetOf(6, 44)).toEqual({ epoch: 6, endOffset: 44 });
  expect(index().endOffsetOf(5, 44)).toEqual({ epoch: 5, endOffset: 30 });
  expect(index().endOffsetOf(2, 44)).toEqual({ epoch: 2, endOffset: 20 });
});

test("an epoch that left no batch answers for the largest one below it", () => {
  expect(index().endOffsetOf(4, 44)).toEqual({ epoch: 2, endOffset: 20 });
});

test("an epoch from before the first ends where the log begins", () => {
  expect(index().endOffsetOf(1, 44)).toEqual({ epoch: 1, endOffset: 10 });
});

test("the epoch of an offset is that of the batch that holds it", () => {
  expect([9, 10, 19, 20, 29, 30, 99].map((offset) => index().epochAt(offset))).toEqual([
    -1, 2, 2, 5, 5, 6, 6,
  ]);
});

test("epochs never go backwards", () => {
  const epochs = index();
  epochs.note({ leaderEpoch: 4, baseOffset: 40 });
  expect(epochs.latestEpoch).toBe(6);
});

test("a trim keeps the epoch that spans the new start", () => {
  const epochs = index();
  epochs.trimTo(25);
  expect(epochs.entries()).toEqual([
    { epoch: 5, startOffset: 25 },
    { epoch: 6, startOffset: 30 },
  ]);
});
