import { expect, test } from "vitest";
import { SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { Tripwires } from "./tripwires.ts";

const unexpected = (error: unknown) => {
  throw error;
};

test("what came due in a pause happens after it, timers first, and not what is cancelled by then", async () => {
  using tripwires = new Tripwires(unexpected);
  const scheduler = new Scheduler({ trace: new Trace(), tripwires, onThrow: unexpected });
  const process = new SimulatedProcess("paused");
  const happened: string[] = [];
  const due = (label: string, what: string, run = () => {}) =>
    scheduler.schedule({ afterUs: 10, process, label }, () => {
      happened.push(what);
      run();
    });
  due("message", "a message");
  let cancel = () => {};
  due("timer", "a timer that cancels another", () => cancel());
  cancel = due("timer", "the other");
  process.pause();
  scheduler.schedule({ afterUs: 1_000, process: undefined, label: "resume" }, () =>
    scheduler.resume(process),
  );
  await scheduler.run(() => false);
  expect(happened).toEqual(["a timer that cancels another", "a message"]);
});
