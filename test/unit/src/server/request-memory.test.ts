import { expect, test } from "vitest";
import { type Reader, RequestMemory } from "#src/server/request-memory.ts";

class TestReader implements Reader {
  readonly #memory: RequestMemory;
  resumedCount = 0;
  hasGivenUp = false;

  constructor(memory: RequestMemory) {
    this.#memory = memory;
  }

  resumeReading(): void {
    this.resumedCount += 1;
  }

  giveUp(): void {
    this.hasGivenUp = true;
    this.#memory.leave(this);
  }
}

function memoryWith(count: number): [RequestMemory, TestReader[]] {
  const memory = new RequestMemory(100);
  return [memory, Array.from({ length: count }, () => new TestReader(memory))];
}

test("readers wait while requests are over the bound, and go on first come, first served", () => {
  const [memory, [a, b]] = memoryWith(2);
  memory.take(80);
  memory.take(70);
  if (a) memory.waitForRoom(a);
  if (b) memory.waitForRoom(b);
  expect([memory.isOver, a?.resumedCount, b?.resumedCount]).toEqual([true, 0, 0]);
  memory.give(80);
  expect([memory.isOver, a?.resumedCount, b?.resumedCount]).toEqual([false, 1, 1]);
});

test("a reader that waits twice is resumed once", () => {
  const [memory, [a]] = memoryWith(1);
  memory.take(101);
  if (a) memory.waitForRoom(a);
  if (a) memory.waitForRoom(a);
  memory.give(101);
  expect(a?.resumedCount).toBe(1);
});

test("a reader that waits where there is room goes on at once", () => {
  const [memory, [a]] = memoryWith(1);
  if (a) memory.waitForRoom(a);
  expect(a?.resumedCount).toBe(1);
});

test("a reader that has ended is not resumed, and its begun frame is not counted any more", () => {
  const [memory, [a, b]] = memoryWith(2);
  if (a) memory.holdBegun(a, 60);
  memory.take(50);
  if (a) memory.waitForRoom(a);
  if (b) memory.waitForRoom(b);
  if (a) memory.leave(a);
  expect([a?.resumedCount, b?.resumedCount, memory.usedBytes]).toEqual([0, 1, 50]);
});

test("begun frames that no answer can make room for are given up, the oldest first", () => {
  const [memory, [a, b, c]] = memoryWith(3);
  if (a) memory.holdBegun(a, 10);
  if (b) memory.holdBegun(b, 60);
  if (a) memory.holdBegun(a, 40);
  expect(memory.usedBytes).toBe(100);
  if (c) memory.holdBegun(c, 5);
  expect([a?.hasGivenUp, b?.hasGivenUp, c?.hasGivenUp, memory.usedBytes]).toEqual([true, false, false, 65]);
});

test("requests that are being answered are waited for: nobody is given up for them", () => {
  const [memory, [a]] = memoryWith(1);
  memory.take(90);
  if (a) memory.holdBegun(a, 90);
  if (a) memory.waitForRoom(a);
  expect([a?.hasGivenUp, a?.resumedCount]).toEqual([false, 0]);
  memory.give(90);
  expect(a?.resumedCount).toBe(1);
});
