import { expect, test } from "vitest";
import { ProduceGate } from "#src/partitions/produce-gate.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

function makeGate() {
  const clock = new FakeClock();
  const world = { hasRoom: true };
  const told: string[] = [];
  const gate = new ProduceGate(clock, () => world.hasRoom, {
    held: (waitingCount) => told.push(`held ${waitingCount}`),
    resumed: (heldMs) => told.push(`resumed after ${heldMs}`),
  });
  return { clock, world, told, gate };
}

test("an open gate lets in at once, and nothing is told or counted", () => {
  const { gate, told } = makeGate();
  expect(gate.enter(1_000)).toBe(true);
  expect(gate.isClosed).toBe(false);
  expect(gate.counts).toEqual({ waiting: 0, delayed: 0, refused: 0 });
  expect(told).toEqual([]);
});

test("a closed gate keeps requests in their order until there is room", async () => {
  const { gate, world } = makeGate();
  world.hasRoom = false;
  const order: string[] = [];
  const first = Promise.resolve(gate.enter(1_000)).then((entered) => order.push(`first ${entered}`));
  const second = Promise.resolve(gate.enter(1_000)).then((entered) => order.push(`second ${entered}`));
  expect([gate.isClosed, gate.counts]).toEqual([true, { waiting: 2, delayed: 2, refused: 0 }]);
  world.hasRoom = true;
  // Who comes now does not overtake those who wait.
  const third = Promise.resolve(gate.enter(1_000)).then((entered) => order.push(`third ${entered}`));
  gate.reconsider();
  await Promise.all([first, second, third]);
  expect(order).toEqual(["first true", "second true", "third true"]);
});

test("a wait that ends with its time, a full disk and a gate that is blocked refuse", async () => {
  const { gate, world, clock } = makeGate();
  world.hasRoom = false;
  const impatient = gate.enter(100);
  const patient = gate.enter(60_000);
  await clock.advance(100);
  expect(await impatient).toBe(false);
  gate.block("The disk is full");
  expect(await patient).toBe(false);
  expect(gate.enter(1_000)).toBe(false);
  expect(gate.counts).toEqual({ waiting: 0, delayed: 2, refused: 3 });
});

test("a gate that holds somebody for a second is told once, and again when nobody waits any more", async () => {
  const { gate, world, clock, told } = makeGate();
  world.hasRoom = false;
  const waiting = [gate.enter(60_000), gate.enter(60_000)];
  await clock.advance(999);
  expect(told).toEqual([]);
  await clock.advance(5_001);
  expect(told).toEqual(["held 2"]);
  world.hasRoom = true;
  gate.reconsider();
  expect(told).toEqual(["held 2", "resumed after 6000"]);
  expect(await Promise.all(waiting)).toEqual([true, true]);
});

test("short holds are nothing to tell, however many there are", async () => {
  const { gate, world, clock, told } = makeGate();
  for (let at = 0; at < 10; at++) {
    world.hasRoom = false;
    const entering = gate.enter(60_000);
    await clock.advance(900);
    world.hasRoom = true;
    gate.reconsider();
    expect(await entering).toBe(true);
  }
  await clock.advance(10_000);
  expect(told).toEqual([]);
  expect(clock.timerCount).toBe(0);
});
