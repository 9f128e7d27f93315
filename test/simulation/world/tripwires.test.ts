import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { Tripwires } from "./tripwires.ts";

const reaches: readonly { readonly what: string; readonly reach: () => unknown }[] = [
  { what: "the wall clock", reach: () => Date.now() },
  { what: "a date of now", reach: () => new Date() },
  { what: "the monotonic clock", reach: () => performance.now() },
  { what: "randomness", reach: () => Math.random() },
  { what: "random names", reach: () => randomUUID() },
  { what: "timers", reach: () => setTimeout(() => undefined, 1) },
  { what: "the disk", reach: () => readFileSync("/dev/null") },
];

test.each(reaches)("a simulated program that reaches for $what is told off", async ({ reach }) => {
  const tripped: string[] = [];
  const thrown: unknown[] = [];
  {
    using tripwires = new Tripwires((error) => tripped.push(error.message));
    const onThrow = (error: unknown) => thrown.push(error);
    const scheduler = new Scheduler({ trace: new Trace(), tripwires, onThrow });
    scheduler.schedule({ afterUs: 5, process: undefined, label: "reach" }, () => void reach());
    await scheduler.run(() => false);
    expect(reach).not.toThrow();
  }
  expect(tripped).toHaveLength(1);
  expect(thrown).toHaveLength(1);
});

test("a fixed date is none of its business", async () => {
  const thrown: unknown[] = [];
  using tripwires = new Tripwires(() => undefined);
  const scheduler = new Scheduler({ trace: new Trace(), tripwires, onThrow: (error) => thrown.push(error) });
  scheduler.schedule({ afterUs: 5, process: undefined, label: "date" }, () => void new Date(0));
  await scheduler.run(() => false);
  expect(thrown).toEqual([]);
});

test("events run in the order of their times, each to its end before the next", async () => {
  const order: string[] = [];
  using tripwires = new Tripwires(() => undefined);
  const scheduler = new Scheduler({ trace: new Trace(), tripwires, onThrow: () => undefined });
  const place = (afterUs: number) => ({ afterUs, process: undefined, label: "event" });
  scheduler.schedule(place(20), () => order.push("late"));
  scheduler.schedule(place(10), () => {
    order.push("early");
    void Promise.resolve()
      .then(() => undefined)
      .then(() => order.push("what early made ready"));
  });
  scheduler.schedule(place(10), () => order.push("next"));
  await scheduler.run(() => false);
  expect(order).toEqual(["early", "what early made ready", "next", "late"]);
});

test("what a paused process missed happens when it goes on, and nothing of a dead one ever does", async () => {
  const order: string[] = [];
  using tripwires = new Tripwires(() => undefined);
  const scheduler = new Scheduler({ trace: new Trace(), tripwires, onThrow: () => undefined });
  const paused = new SimulatedProcess("paused");
  const dead = new SimulatedProcess("dead");
  scheduler.schedule({ afterUs: 1, process: paused, label: "receive" }, () => order.push("bytes"));
  scheduler.schedule({ afterUs: 2, process: paused, label: "timer" }, () => order.push("timer"));
  scheduler.schedule({ afterUs: 3, process: dead, label: "timer" }, () => order.push("dead"));
  scheduler.schedule({ afterUs: 9, process: undefined, label: "resume" }, () => scheduler.resume(paused));
  paused.pause();
  dead.die();
  await scheduler.run(() => false);
  expect(order).toEqual(["timer", "bytes"]);
  expect(scheduler.nowUs).toBe(9);
});
