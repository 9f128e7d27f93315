import fc from "fast-check";
import { expect, test } from "vitest";
import { fittedGrowth, median, quarters } from "../../../../bench/soak/trend.ts";

test("a fitted line gains what the readings gain, whatever lies on both sides of it", () => {
  const readings = Array.from({ length: 100 }, (_, at) => ({
    at: at * 5,
    value: 300 + at + (at % 2 === 0 ? 10 : -10),
  }));
  expect(Math.abs(fittedGrowth(readings) - 99)).toBeLessThan(1);
});

test("a line through points on a line is that line", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1000, max: 1000 }),
      fc.integer({ min: 2, max: 200 }),
      fc.integer({ min: -50, max: 50 }),
      (start, count, slope) => {
        const readings = Array.from({ length: count }, (_, at) => ({ at, value: start + slope * at }));
        expect(fittedGrowth(readings)).toBeCloseTo(slope * (count - 1), 6);
      },
    ),
  );
});

test("one reading, or none, has not grown", () => {
  expect(fittedGrowth([])).toBe(0);
  expect(fittedGrowth([{ at: 1, value: 7 }])).toBe(0);
});

test("the median is the middle, or the mean of the two in the middle", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBe(0);
});

test("quarters leave the middle out", () => {
  expect(quarters([1, 1, 50, 60, 70, 80, 2, 2])).toEqual({ first: 1, last: 2 });
});
