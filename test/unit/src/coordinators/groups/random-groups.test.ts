import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { GroupWorld, type Joined } from "./group-world.ts";
import { drain } from "./manual-clock.ts";
import { type RunRecord, SimulatedConsumer } from "./simulated-consumer.ts";

/*
 * Random joins, leaves, silences, lost connections, restarts of static members and failures of the log, from a seed;
 * then calm, in which the consumers that are left must find together. The seed is in the test's name.
 */

type Random = () => number;

/** Mulberry32: small, seeded, good enough to choose steps. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Run {
  readonly record: RunRecord = { requests: [], generations: [] };
  readonly #random: Random;
  readonly #withStatic: boolean;
  readonly #world: GroupWorld;
  #consumers: SimulatedConsumer[] = [];

  constructor(world: GroupWorld, random: Random, withStatic: boolean) {
    this.#world = world;
    this.#random = random;
    this.#withStatic = withStatic;
  }

  async chaos(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) await this.#disturb();
  }

  async #disturb(): Promise<void> {
    const consumer = this.#consumers[this.#below(this.#consumers.length)];
    const choice = this.#random();
    const { log, clock } = this.#world;
    if (!consumer || choice < 0.05) this.#start();
    else if (choice < 0.7) await consumer.step();
    else if (choice < 0.74) await this.#stop(consumer, false);
    else if (choice < 0.78) await this.#stop(consumer, true);
    else if (choice < 0.81) consumer.loseConnection();
    else if (choice < 0.84) consumer.changeTopic();
    else if (choice < 0.87) log.failure = this.#random() < 0.5 ? null : "unavailable";
    else if (choice < 0.9) await this.#holdOrRelease();
    else await clock.advance(this.#below(4_000));
  }

  /** Lets everybody behave until the group is stable with all of them. */
  async calm(): Promise<SimulatedConsumer[]> {
    this.#world.log.failure = null;
    this.#world.log.release();
    for (let round = 0; round < 200; round++) {
      this.#consumers = this.#consumers.filter((consumer) => !consumer.isFenced);
      for (const consumer of this.#consumers) await consumer.step();
      await this.#world.clock.advance(1_000);
    }
    return this.#consumers;
  }

  #start(): void {
    if (this.#consumers.length >= 8) return;
    const isStatic = this.#withStatic && this.#random() < 0.5;
    const groupInstanceId = isStatic ? `instance-${this.#below(4)}` : null;
    const versions = isStatic ? [5, 7, 8, 9] : [0, 1, 3, 4, 5, 9];
    const version = versions[this.#below(versions.length)] ?? 5;
    this.#consumers.push(new SimulatedConsumer(this.#world, this.record, { version, groupInstanceId }));
  }

  async #stop(consumer: SimulatedConsumer, isPolite: boolean): Promise<void> {
    if (isPolite) await consumer.leave();
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
  }

  async #holdOrRelease(): Promise<void> {
    const { log } = this.#world;
    if (log.isHolding) log.release(this.#random() < 0.2 ? "unavailable" : null);
    else log.isHolding = true;
    await drain();
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

async function run(seed: number, withStatic: boolean): Promise<{ world: GroupWorld; generations: Joined[] }> {
  const world = await GroupWorld.start();
  const random = randomFrom(seed);
  const chaotic = new Run(world, random, withStatic);
  await chaotic.chaos(400);
  const consumers = await chaotic.calm();

  for (const request of chaotic.record.requests) expect(request.isAnswered).toBe(true);
  expectTogether(world, consumers);
  const loaded = await world.reread();
  if (consumers.length > 0) expect(loaded.describe("g")).toEqual(world.describe("g"));
  world.coordinator.close();
  loaded.coordinator.close();
  expect(world.clock.timerCount).toBe(0);
  return { world, generations: chaotic.record.generations };
}

/** Everybody who behaves is a member of one stable generation and has what its leader assigned. */
function expectTogether(world: GroupWorld, consumers: readonly SimulatedConsumer[]): void {
  const { groupState, members } = world.describe("g");
  expect(["Stable", "Empty", "Dead"]).toContain(groupState);
  expect(members.map((member) => member.memberId).sort()).toEqual(
    consumers.map((consumer) => consumer.memberId).sort(),
  );
  for (const consumer of consumers) expect(consumer.isStable).toBe(true);
  expect(new Set(consumers.map((consumer) => consumer.generationId)).size).toBeLessThanOrEqual(1);
  const names = members.flatMap((member) => member.groupInstanceId ?? []);
  expect(new Set(names).size).toBe(names.length);
}

const seeds = Array.from({ length: 40 }, (_, index) => index + 1);

describe("random dynamic members", () => {
  test.each(seeds)("seed %i: generations grow, each has one leader, nobody is lost", async (seed) => {
    const { world, generations } = await run(seed, false);

    const leaders = new Map<number, string>();
    let last = 0;
    for (const { generationId, leader, memberId, members } of generations) {
      expect(generationId).toBeGreaterThanOrEqual(last);
      last = generationId;
      expect(leaders.get(generationId) ?? leader).toBe(leader);
      leaders.set(generationId, leader);
      expect(members.length > 0).toBe(memberId === leader);
      if (members.length > 0) expect(members.map((member) => member.memberId)).toContain(leader);
    }
    for (const { memberAssignment, memberId } of world.describe("g").members) {
      expect(Buffer.from(memberAssignment).toString()).toMatch(memberId);
    }
  });
});

describe("random static and dynamic members", () => {
  test.each(seeds)("seed %i: everybody finds together and a name has one holder", async (seed) => {
    await run(seed, true);
  });
});
