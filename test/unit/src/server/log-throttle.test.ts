import { expect, test } from "vitest";
import { LogThrottle } from "#src/server/log-throttle.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

test("the first events have lines, the others of the interval a number", async () => {
  const clock = new FakeClock();
  const told: number[] = [];
  const throttle = new LogThrottle(clock, (count) => told.push(count));
  const admitted = Array.from({ length: 25 }, () => throttle.admits()).filter(Boolean);
  expect(admitted).toHaveLength(10);
  expect(told).toEqual([]);
  await clock.advance(10_000);
  expect(told).toEqual([15]);
});

test("a new interval begins with lines again, and a quiet one tells nothing", async () => {
  const clock = new FakeClock();
  const told: number[] = [];
  const throttle = new LogThrottle(clock, (count) => told.push(count));
  for (let at = 0; at < 11; at++) throttle.admits();
  await clock.advance(10_000);
  expect(throttle.admits()).toBe(true);
  await clock.advance(60_000);
  expect(told).toEqual([1]);
});
