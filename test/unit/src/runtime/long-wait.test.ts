import { expect, test } from "vitest";
import { LongWait } from "#src/runtime/long-wait.ts";
import { FakeClock } from "./fake-clock.ts";

test("a long wait is told of every 5 s, a short one never", async () => {
  const clock = new FakeClock();
  const wait = new LongWait(clock);
  const toldMs: number[] = [];
  for (let elapsedMs = 0; elapsedMs < 12_000; elapsedMs += 200) {
    wait.tell(() => toldMs.push(elapsedMs));
    await clock.advance(200);
  }
  expect(toldMs).toEqual([5_000, 10_000]);
});
