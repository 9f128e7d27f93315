import { expect, test } from "vitest";
import type { Entry } from "#raft/core/entry.ts";
import { RaftHost } from "#raft/host/raft-host.ts";
import { drain } from "../../src/runtime/fake-clock.ts";
import { FakeLogStore } from "./fake-log-store.ts";

/** A host whose passes and retries run when the test says so. */
class HostWorld {
  readonly log = new FakeLogStore();
  readonly fatal: unknown[] = [];
  readonly applied: string[] = [];
  readonly #passes: (() => void)[] = [];
  readonly #retries: (() => void)[] = [];
  readonly host = new RaftHost({
    nodeId: 1,
    log: this.log,
    schedulePass: (callback) => this.#passes.push(callback),
    scheduleRetry: (callback) => {
      this.#retries.push(callback);
      return () => this.#retries.splice(this.#retries.indexOf(callback), 1);
    },
    onFatal: (error) => this.fatal.push(error),
  });

  async start(id: number, from: { term?: number; floor?: number; entries?: readonly Entry[] } = {}) {
    const group = await this.begin(id, from);
    await this.runAll();
    return group;
  }

  begin(id: number, from: { term?: number; floor?: number; entries?: readonly Entry[] } = {}) {
    const { term = 0, floor = 0, entries = [] } = from;
    this.log.durable.set(id, [...entries]);
    return this.host.start({
      id,
      stateMachine: { apply: ({ index, kind }) => void this.applied.push(`${id}: ${kind} ${index}`) },
      hardState: { term, votedFor: -1 },
      floor: { index: floor, term },
      entries,
    });
  }

  get passCount(): number {
    return this.#passes.length;
  }

  /** Runs the passes that are scheduled now, and what they lead to. */
  async pass(): Promise<void> {
    for (const run of this.#passes.splice(0)) run();
    await drain();
  }

  get retryCount(): number {
    return this.#retries.length;
  }

  async retry(): Promise<void> {
    for (const run of this.#retries.splice(0)) run();
    await this.pass();
  }

  async runAll(): Promise<void> {
    while (this.#passes.length > 0) await this.pass();
  }
}

function data(baseOffset: number, sizeBytes = 10, offsetCount = 1) {
  return { kind: "data" as const, baseOffset, offsetCount, payload: new Uint8Array(sizeBytes) };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await drain();
  return settled;
}

test("a new group elects itself without waiting for a tick, and begins its term with a no-op once its vote is durable", async () => {
  const world = new HostWorld();
  const group = await world.start(7);
  expect([group.isSettledLeader, group.term]).toEqual([true, 1]);
  expect(world.log.calls).toEqual([
    "floor 7: 0",
    "state 7: term 1, vote 1",
    "flushed",
    "append 7: noop 1/1",
    "flushed",
  ]);
  expect(world.applied).toEqual(["7: noop 1"]);
});

test("each start is a new term: leader epochs never go backwards (trap 38)", async () => {
  const world = new HostWorld();
  expect((await world.start(1, { term: 41 })).term).toBe(42);
});

test("entries that the journal kept are applied once the group leads, before it counts as settled", async () => {
  const world = new HostWorld();
  const entries = [5, 6].map((index) => ({ index, term: 3, ...data(index - 5) }));
  const group = await world.start(1, { term: 3, floor: 4, entries });
  expect(world.applied).toEqual(["1: data 5", "1: data 6", "1: noop 7"]);
  expect([group.nextOffset, group.term]).toEqual([2, 4]);
});

test("nothing is applied before it is durable", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  world.log.isManual = true;
  group.propose(data(0));
  await world.pass();
  expect(world.applied).toEqual(["1: noop 1"]);
  world.log.completeFlush();
  await drain();
  expect(world.applied).toEqual(["1: noop 1", "1: data 2"]);
});

test("what is proposed during a write goes with the next one, all groups together", async () => {
  const world = new HostWorld();
  const [a, b] = [await world.start(1), await world.start(2)];
  world.log.isManual = true;
  world.host.releaseThroughOffset(1, 0);
  void world.host.flushFloors();
  await world.pass();
  a.propose(data(0));
  b.propose(data(0));
  a.propose(data(1));
  expect(world.passCount).toBe(0);
  world.log.completeFlush();
  await drain();
  world.log.calls.length = 0;
  await world.pass();
  world.log.completeFlush();
  await drain();
  expect(world.log.calls).toEqual(["append 1: data 2/1, data 3/1", "append 2: data 2/1", "flushed"]);
});

test("counts the payload bytes that are proposed and not durable", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  group.propose(data(0, 100));
  expect(world.host.proposedBytes).toBe(100);
  await world.pass();
  expect(world.host.proposedBytes).toBe(0);
});

test("a failed write is fatal: nothing of it is applied, and no further write is tried", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  world.applied.length = 0;
  world.log.calls.length = 0;
  world.log.isManual = true;
  group.propose(data(0));
  await world.pass();
  const drained = world.host.drained();
  world.log.failFlush(new Error("EIO"));
  await drain();
  group.propose(data(1));
  await world.pass();
  expect(world.fatal).toEqual([new Error("EIO")]);
  expect(world.applied).toEqual([]);
  expect(world.log.calls).not.toContain("flushed");
  await drained;
});

test("after a stop nothing more is applied, and the stop waits for the write under way", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  world.log.isManual = true;
  group.propose(data(0));
  await world.pass();
  const stopped = world.host.stop();
  expect(await isSettled(stopped)).toBe(false);
  world.log.completeFlush();
  await stopped;
  expect(world.applied).toEqual(["1: noop 1"]);
});

test("a group that is removed during its write is not applied to any more, and its bytes are given back", async () => {
  const world = new HostWorld();
  const [a, b] = [await world.start(1), await world.start(2)];
  world.log.isManual = true;
  a.propose(data(0, 100));
  await world.pass();
  a.propose(data(1, 30));
  b.propose(data(0, 1));
  world.host.remove(1);
  world.log.completeFlush();
  await drain();
  await world.pass();
  world.log.completeFlush();
  await drain();
  expect(world.applied).toEqual(["1: noop 1", "2: noop 1", "2: data 2"]);
  expect(world.host.proposedBytes).toBe(0);
  expect(world.log.calls).toContain("forget 1");
});

test("a group that nobody started can be forgotten: the journal may know it from before", async () => {
  const world = new HostWorld();
  world.host.remove(9);
  await world.pass();
  expect(world.log.calls).toEqual(["forget 9", "flushed"]);
});

test("while the log is full proposals wait, in order, and go in when there is room again", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  await world.pass();
  world.log.roomBytes = 0;
  group.propose(data(0));
  group.propose(data(1));
  await world.pass();
  await world.retry();
  expect(world.applied).toEqual(["1: noop 1"]);
  world.log.roomBytes = 100;
  await world.retry();
  expect(world.applied).toEqual(["1: noop 1", "1: data 2", "1: data 3"]);
});

test("other groups go on while the log is full for one", async () => {
  const world = new HostWorld();
  const [a, b] = [await world.start(1), await world.start(2)];
  await world.pass();
  world.log.callBytesMax = 50;
  a.propose(data(0, 60));
  b.propose(data(0, 10));
  await world.pass();
  expect(world.applied).toContain("2: data 2");
  expect(world.applied).not.toContain("1: data 2");
});

test("of more than a mebibyte the log takes what it has room for", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  await world.pass();
  world.log.roomBytes = 1_500_000;
  for (let at = 0; at < 4; at++) group.propose(data(at, 600_000));
  await world.pass();
  expect(world.applied.slice(1)).toEqual(["1: data 2", "1: data 3"]);
  expect(world.host.proposedBytes).toBe(1_200_000);
  world.log.roomBytes = 1_500_000;
  await world.retry();
  expect(world.applied.slice(1)).toEqual(["1: data 2", "1: data 3", "1: data 4", "1: data 5"]);
  expect(world.host.proposedBytes).toBe(0);
});

test("floors are written although the log is full: they are what makes room", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  await world.pass();
  world.log.roomBytes = 0;
  group.propose(data(0));
  await world.pass();
  world.host.releaseThroughOffset(1, 0);
  world.log.calls.length = 0;
  const flushed = world.host.flushFloors();
  world.log.calls.push("asked");
  await world.pass();
  await flushed;
  expect(world.log.calls).toEqual(["asked", "flushed"]);
});

test("a stop leaves no retry behind for what the log has no room for", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  world.log.roomBytes = 0;
  group.propose(data(0));
  await world.pass();
  expect(world.retryCount).toBe(1);
  await world.host.stop();
  expect(world.retryCount).toBe(0);
});

test("draining gives up on what the log has no room for", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  world.log.roomBytes = 0;
  group.propose(data(0));
  const drained = world.host.drained();
  expect(await isSettled(drained)).toBe(false);
  await world.pass();
  await drained;
});

test("floors move with what is durable elsewhere, and never past an entry that is not", async () => {
  const world = new HostWorld();
  const group = await world.start(1);
  for (const at of [0, 1, 2]) group.propose(data(at));
  await world.runAll();
  world.log.calls.length = 0;
  world.host.releaseThroughOffset(1, 0);
  world.host.releaseThroughOffset(1, 0);
  world.host.releaseThroughOffset(1, 2);
  world.host.releaseThroughIndex(1, 4);
  world.host.releaseThroughOffset(99, 5);
  expect(world.log.calls).toEqual(["floor 1: 1", "floor 1: 3", "floor 1: 4"]);
  expect(group.floor).toEqual({ index: 4, term: 1 });
});
