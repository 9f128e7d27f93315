import { expect, test } from "vitest";
import { CommitDeadlines } from "#src/partitions/commit-deadlines.ts";
import { type CommitWaiter, CommitWaiters } from "#src/partitions/commit-waiters.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

class Replicas {
  inSyncCount = 3;
  matched = [0, 0, 0];
  replicasWith(index: number): number {
    return this.matched.filter((matched) => matched >= index).length;
  }
}

function fixture() {
  const told: string[] = [];
  const waiters = new CommitWaiters({
    timedOut: () => new Error("timed out"),
    notEnoughReplicas: () => new Error("not enough replicas"),
  });
  const waiter = (name: string, nextOffset: number, fields: Partial<CommitWaiter> = {}): CommitWaiter => ({
    ...{ nextOffset, deadlineMs: Infinity, index: 0, replicaCount: 0 },
    resolve: () => told.push(name),
    reject: ({ message }) => told.push(`${name}: ${message}`),
    ...fields,
  });
  return { waiters, waiter, told, replicas: new Replicas() };
}

test("who waits is told in the order of offsets, whoever came first", () => {
  const { waiters, waiter, told, replicas } = fixture();
  for (const offset of [3, 1, 2, 2, 5]) waiters.add(waiter(`to ${offset}`, offset));
  waiters.committedTo(2, replicas);
  expect(told).toEqual(["to 1", "to 2", "to 2"]);
  waiters.committedTo(4, replicas);
  expect(told.at(-1)).toBe("to 3");
  expect(waiters.count).toBe(1);
});

test("a commit is not enough where more replicas must have it", () => {
  const { waiters, waiter, told, replicas } = fixture();
  waiters.add(waiter("a", 1, { index: 10, replicaCount: 3 }));
  replicas.matched = [10, 10, 9];
  waiters.committedTo(1, replicas);
  expect(told).toEqual([]);
  replicas.matched = [12, 10, 10];
  waiters.replicated(replicas);
  expect(told).toEqual(["a"]);
});

test("nobody waits for replicas that do not keep up: the batch is there, and not where it was to be", () => {
  const { waiters, waiter, told, replicas } = fixture();
  waiters.add(waiter("a", 1, { index: 10, replicaCount: 3 }));
  replicas.matched = [10, 10, 0];
  waiters.committedTo(1, replicas);
  replicas.inSyncCount = 2;
  waiters.replicated(replicas);
  expect(told).toEqual(["a: not enough replicas"]);
  expect(waiters.count).toBe(0);
});

test("each leaves at its own deadline, whatever it waits for", () => {
  const { waiters, waiter, told, replicas } = fixture();
  waiters.add(waiter("patient", 1, { deadlineMs: 500, index: 10, replicaCount: 3 }));
  waiters.add(waiter("hasty", 2, { deadlineMs: 100 }));
  waiters.add(waiter("endless", 3));
  waiters.committedTo(1, replicas);
  waiters.expire(99);
  expect(told).toEqual([]);
  waiters.expire(100);
  expect(told).toEqual(["hasty: timed out"]);
  waiters.expire(600);
  expect(told).toEqual(["hasty: timed out", "patient: timed out"]);
  expect(waiters.count).toBe(1);
});

test("one timer serves all deadlines, and runs only while somebody waits", async () => {
  const clock = new FakeClock();
  const deadlines = new CommitDeadlines(clock);
  const left = new Map([
    ["a", 3],
    ["b", 1],
  ]);
  const calls: string[] = [];
  for (const name of left.keys()) {
    const expiring = {
      expire: () => {
        calls.push(name);
        left.set(name, (left.get(name) ?? 0) - 1);
        return (left.get(name) ?? 0) > 0;
      },
    };
    deadlines.watch(expiring);
    deadlines.watch(expiring);
  }
  expect(clock.timerCount).toBe(1);
  await clock.advance(1_000);
  expect(calls).toEqual(["a", "b", "a", "a"]);
  expect(clock.timerCount).toBe(0);
  deadlines.watch({ expire: () => true });
  deadlines.close();
  expect(clock.timerCount).toBe(0);
});
