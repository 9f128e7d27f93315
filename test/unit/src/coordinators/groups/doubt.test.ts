import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld } from "./group-world.ts";
import { drain } from "./manual-clock.ts";

test("a coordinator that may have been replaced answers nothing, and asks the others when told to", async () => {
  const world = await GroupWorld.start();
  expect(await world.commitError({ offset: 5 })).toBe(ErrorCode.none);
  world.log.isInDoubt = true;
  expect(await world.commitError({ offset: 6 })).toBe(ErrorCode.notCoordinator);
  expect(world.coordinator.listGroups({ statesFilter: [], typesFilter: [] }).groups).toEqual([]);

  expect(world.coordinator.settle(["g"], { isStrict: false })).toBeInstanceOf(Promise);
  await drain();
  expect(world.log.confirmCount).toBe(1);
  expect(world.committed()).toBe(5);
});

test("time is enough for most answers, and others are asked for strictly", async () => {
  const world = await GroupWorld.start();
  expect(world.coordinator.settle(["g", "h"], { isStrict: false })).toBeUndefined();
  // Both live in the same partition, which is asked for once.
  await world.coordinator.settle(["g", "h"], { isStrict: true });
  expect(world.log.confirmCount).toBe(1);
});

test("one that has been replaced keeps answering nothing", async () => {
  const world = await GroupWorld.start();
  world.log.isInDoubt = true;
  world.log.isConfirmable = false;
  await world.coordinator.settleAll();
  expect(await world.commitError({ offset: 6 })).toBe(ErrorCode.notCoordinator);
});

test("a commit that takes longer than its client waits is told so, and counts when it is durable", async () => {
  const world = await GroupWorld.start({ config: { commitTimeoutMs: 100 } });
  world.log.isHolding = true;
  const commit = await world.commit({ offset: 7 });
  await world.clock.advance(99);
  await drain();
  expect(commit.isAnswered).toBe(false);
  await world.clock.advance(1);
  await drain();
  expect(commit.answer.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.coordinatorNotAvailable);
  expect(world.committed()).toBe(-1);
  world.log.release();
  await drain();
  expect(world.committed()).toBe(7);
});
