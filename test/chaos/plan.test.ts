import { expect, test } from "vitest";
import { describeStrike, planOf } from "./plan.ts";

test("a seed gives one plan, and other seeds others", () => {
  const options = { durationMs: 60_000, hasDisk: true };
  expect(planOf(7, options)).toEqual(planOf(7, options));
  expect(planOf(7, options)).not.toEqual(planOf(8, options));
});

test("a longer plan begins like the shorter one", () => {
  const short = planOf(7, { durationMs: 20_000, hasDisk: true });
  const long = planOf(7, { durationMs: 60_000, hasDisk: true });
  expect(long.strikes.slice(0, short.strikes.length)).toEqual(short.strikes);
});

test("the plans of a hundred seeds have strikes of every kind, and those of disks only where there is one", () => {
  const kindsOf = (hasDisk: boolean) =>
    new Set(
      Array.from({ length: 100 }, (_, seed) => planOf(seed, { durationMs: 60_000, hasDisk })).flatMap(
        ({ strikes }) => strikes.map(({ strike }) => strike.kind),
      ),
    );
  expect(kindsOf(true).size).toBe(14);
  expect([...kindsOf(true)].filter((kind) => !kindsOf(false).has(kind)).toSorted()).toEqual([
    "breakDisk",
    "fillDisk",
  ]);
});

test("a strike is told in words", () => {
  const told = describeStrike({ strike: { kind: "pause", role: "leader" }, lastsMs: 700, nextAfterMs: 0 });
  expect(told).toBe("pause leader for 700 ms");
});
