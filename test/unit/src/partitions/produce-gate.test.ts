import { expect, test } from "vitest";
import { ProduceGate } from "#src/partitions/produce-gate.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

/** A gate before a space that each who enters takes a part of. */
class GateWorld {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly entered: string[] = [];
  room = 0;
  readonly gate = new ProduceGate(this.clock, () => this.room > 0, {
    held: (count) => this.told.push(`held ${count}`),
    resumed: (heldMs) => this.told.push(`resumed after ${heldMs}`),
  });

  /** Enters and takes its part of the room; answers as the gate does. */
  async enter(name: string, timeoutMs = 10_000): Promise<boolean> {
    const answer = this.gate.enter(timeoutMs);
    const hasEntered = typeof answer === "boolean" ? answer : await answer;
    this.entered.push(`${name} ${hasEntered ? "in" : "refused"}`);
    if (hasEntered) this.room -= 1;
    return hasEntered;
  }
}

test("where there is room nobody waits, not even for a microtask", () => {
  const world = new GateWorld();
  world.room = 1;
  expect(world.gate.enter(1_000)).toBe(true);
});

test("who waits goes in when there is room, in order, and no more than there is room for", async () => {
  const world = new GateWorld();
  for (const name of ["a", "b", "c"]) void world.enter(name);
  world.room = 2;
  world.gate.reconsider();
  await world.clock.settle();
  expect(world.entered).toEqual(["a in", "b in"]);
  world.room = 1;
  world.gate.reconsider();
  await world.clock.settle();
  expect(world.entered).toEqual(["a in", "b in", "c in"]);
  expect(world.clock.timerCount).toBe(0);
});

test("nobody overtakes one who is being let in", async () => {
  const world = new GateWorld();
  void world.enter("first");
  world.room = 5;
  world.gate.reconsider();
  void world.enter("second");
  await world.clock.settle();
  expect(world.entered).toEqual(["first in", "second in"]);
});

test("who has waited for its time is refused, the others wait on", async () => {
  const world = new GateWorld();
  void world.enter("patient", 10_000);
  void world.enter("hasty", 100);
  await world.clock.advance(100);
  expect(world.entered).toEqual(["hasty refused"]);
  world.room = 1;
  world.gate.reconsider();
  await world.clock.settle();
  expect(world.entered).toEqual(["hasty refused", "patient in"]);
});

test("a blocked gate turns everybody away at once with its reason, until it is opened", async () => {
  const world = new GateWorld();
  void world.enter("waiting");
  world.room = 1;
  world.gate.block("The disk is full");
  await world.clock.settle();
  void world.enter("late");
  expect(world.entered).toEqual(["waiting refused", "late refused"]);
  expect(world.gate.reason).toBe("The disk is full");
  world.gate.open();
  expect(await world.enter("again")).toBe(true);
});

test("more than can be kept waiting are turned away", async () => {
  const world = new GateWorld();
  for (let at = 0; at < 10_000; at++) void world.gate.enter(1_000);
  expect(world.gate.enter(1_000)).toBe(false);
  world.gate.block("done");
  expect(world.clock.timerCount).toBe(0);
});

test("a long wait is told once, and its end", async () => {
  const world = new GateWorld();
  void world.enter("a");
  await world.clock.advance(3_000);
  expect(world.told).toEqual(["held 1"]);
  world.room = 1;
  world.gate.reconsider();
  await world.clock.settle();
  expect(world.told).toEqual(["held 1", "resumed after 3000"]);
});
