import { expect, test } from "vitest";
import { ChangeWatch } from "#src/partitions/change-watch.ts";
import type { Partition } from "#src/partitions/partition.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

class WatchedPartition {
  readonly watchers = new Set<() => void>();

  watch(callback: () => void): () => void {
    this.watchers.add(callback);
    return () => this.watchers.delete(callback);
  }

  change(): void {
    for (const watcher of this.watchers) watcher();
  }
}

function world(count = 1) {
  const clock = new FakeClock();
  const partitions = Array.from({ length: count }, () => new WatchedPartition());
  const watch = new ChangeWatch(partitions as unknown as Partition[], clock);
  const ended = new AbortController();
  async function timeOf(wait: Promise<void>): Promise<number> {
    await clock.until(wait);
    return clock.monotonicMs();
  }
  return { clock, partitions, watch, ended, timeOf };
}

test("a change before the wait is not missed", async () => {
  const { partitions, watch, ended, timeOf } = world(2);
  partitions[1]?.change();
  expect(await timeOf(watch.next(5_000, ended.signal))).toBe(0);
  expect(await timeOf(watch.next(5_000, ended.signal))).toBe(5_000);
});

test("a change, the signal or the time ends the wait, and no timer stays", async () => {
  const { clock, partitions, watch, ended } = world();
  for (const wake of [() => partitions[0]?.change(), () => ended.abort()]) {
    const wait = watch.next(5_000, ended.signal);
    await clock.advance(100);
    wake();
    await clock.until(wait);
    expect(clock.timerCount).toBe(0);
  }
  expect(clock.monotonicMs()).toBe(200);
});

test("it lets go of its partitions", () => {
  const { partitions, watch } = world();
  expect(partitions[0]?.watchers.size).toBe(1);
  watch[Symbol.dispose]();
  expect(partitions[0]?.watchers.size).toBe(0);
});
