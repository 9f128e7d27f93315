import { expect, test } from "vitest";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";

test("whoever waits is woken when enough was flushed, and not before", async () => {
  const budget = new DirtyBudget(100);
  budget.add(150);
  expect(budget.isOver).toBe(true);
  let isAwake = false;
  const waiting = budget.whenBelow().then(() => {
    isAwake = true;
  });
  budget.remove(50);
  await Promise.resolve();
  expect(isAwake).toBe(false);
  budget.remove(1);
  await waiting;
  expect(budget.bytes).toBe(99);
});

test("nobody waits below the bound", async () => {
  await new DirtyBudget(1).whenBelow();
});
