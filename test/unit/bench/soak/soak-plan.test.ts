import { expect, test } from "vitest";
import { planSoak } from "../../../../bench/soak/soak-plan.ts";

test.each([2, 3, 60])("of %d minutes most belong to one life, and every restart has its time", (minutes) => {
  const { restarts, durationMs } = planSoak(minutes);
  const times = [0, ...restarts.map(({ atMs }) => atMs), durationMs];
  const lengths = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
  expect(Math.max(...lengths)).toBeGreaterThanOrEqual(durationMs / 2);
  expect(Math.min(...lengths)).toBeGreaterThan(0);
});

test("a run has restarts in order and kills", () => {
  const endings = planSoak(60).restarts.map(({ ending }) => ending);
  expect(endings.filter((ending) => ending === "stop").length).toBeGreaterThan(3);
  expect(endings.filter((ending) => ending === "kill").length).toBeGreaterThan(3);
});

test("an hour is sampled each few seconds", () => {
  expect(planSoak(60).sampleEveryMs).toBe(5_000);
  expect(planSoak(3).sampleEveryMs).toBe(1_000);
});
