import { pino } from "pino";
import { expect, test } from "vitest";
import { RepeatedWork } from "#src/runtime/repeated-work.ts";
import { FakeClock } from "./fake-clock.ts";

test("work goes on after a failure, which is told, and ends when it is stopped", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(line) });
  const work = new RepeatedWork({ clock, logger });
  let count = 0;
  work.every(
    100,
    () => {
      count += 1;
      if (count === 1) throw new Error("no luck");
    },
    "cannot count",
  );
  await clock.advance(350);
  expect(count).toBe(3);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ msg: "cannot count", err: expect.objectContaining({ message: "no luck" }) }),
  ]);

  work.stop();
  await clock.advance(1_000);
  expect(count).toBe(3);
  expect(clock.timerCount).toBe(0);
});

test("a run that takes longer than the interval is the only one meanwhile", async () => {
  const clock = new FakeClock();
  const work = new RepeatedWork({ clock, logger: pino({ level: "silent" }) });
  let running = 0;
  let most = 0;
  work.every(
    10,
    async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => clock.schedule(35, resolve));
      running -= 1;
    },
    "cannot work",
  );
  await clock.advance(200);
  expect(most).toBe(1);
  work.stop();
});
