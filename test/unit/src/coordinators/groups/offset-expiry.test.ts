import { describe, expect, test } from "vitest";
import { GroupWorld, only } from "./group-world.ts";

const minuteMs = 60_000;
const config = { offsetsRetentionMs: 10 * minuteMs };

/** A stable group of one that heartbeats through the time, with expiry checked as it passes. */
async function live(world: GroupWorld, memberId: string, minutes: number): Promise<void> {
  for (let beats = 0; beats < minutes * 10; beats++) {
    world.heartbeat({ memberId, generationId: 1 });
    await world.clock.advance(minuteMs / 10);
  }
  await world.coordinator.expireOffsets();
}

describe("offset retention (trap 50)", () => {
  test("does not run while the group has members that subscribe to the topic", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1));
    await world.commit({ offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    await live(world, memberId, 30);
    expect(world.committed()).toBe(1);
  });

  test("counts from the moment the group became empty, for all its offsets", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1));
    await world.commit({ offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    await live(world, memberId, 30);
    await world.leave({ members: [{ memberId }] });
    await world.clock.advance(10 * minuteMs - 1);
    await world.coordinator.expireOffsets();
    expect(world.committed()).toBe(1);
    await world.clock.advance(1);
    await world.coordinator.expireOffsets();
    expect(world.committed()).toBe(-1);
    expect(world.list().groups).toEqual([]);
    expect((await world.reread()).list().groups).toEqual([]);
  });

  test("spares what a tool commits to an empty group until its own time is over", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1));
    await world.leave({ members: [{ memberId }] });
    await world.commit({ offset: 1, partition: 1 });
    await world.clock.advance(8 * minuteMs);
    await world.commit({ offset: 2 });
    await world.clock.advance(8 * minuteMs);
    await world.coordinator.expireOffsets();
    expect([world.committed(), world.committed("g", "orders", 1)]).toEqual([2, -1]);
  });

  test("runs for topics that the members left", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1));
    for (const topic of ["orders", "events"]) {
      await world.commit({ topic, offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    }
    await live(world, memberId, 10);
    expect([world.committed(), world.committed("g", "events")]).toEqual([1, -1]);
  });

  test("counts from each commit in a group that only stores offsets", async () => {
    const world = await GroupWorld.start({ config });
    await world.commit({ offset: 1 });
    await world.clock.advance(5 * minuteMs);
    await world.commit({ offset: 2, partition: 1 });
    await world.clock.advance(5 * minuteMs);
    await world.coordinator.expireOffsets();
    expect([world.committed(), world.committed("g", "orders", 1)]).toEqual([-1, 2]);
  });

  test("does not run in a group whose topics the broker cannot know", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1, { protocolType: "connect" }));
    await world.commit({ topic: "events", offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    await live(world, memberId, 30);
    expect(world.committed("g", "events")).toBe(1);
  });

  test("spares an offset that is being committed again", async () => {
    const world = await GroupWorld.start({ config });
    await world.commit({ offset: 1 });
    await world.clock.advance(10 * minuteMs);
    world.log.isHolding = true;
    await world.commit({ offset: 2 });
    const expiry = world.coordinator.expireOffsets();
    world.log.release();
    await expiry;
    expect(world.committed()).toBe(2);
  });

  test.each([2, 3, 4])(
    "version %i brings a retention of its own, which outlives a restart",
    async (version) => {
      const world = await GroupWorld.start({ config });
      await world.commit({ offset: 1, retentionTimeMs: 20 * minuteMs }, { version });
      const restarted = await world.restart(config);
      await restarted.clock.advance(20 * minuteMs - 1);
      await restarted.coordinator.expireOffsets();
      expect(restarted.committed()).toBe(1);
      await restarted.clock.advance(1);
      await restarted.coordinator.expireOffsets();
      expect(restarted.committed()).toBe(-1);
    },
  );

  test("what the log refuses to delete stays for the next time", async () => {
    const world = await GroupWorld.start({ config });
    await world.commit({ offset: 1 });
    await world.clock.advance(10 * minuteMs);
    world.log.failure = "unavailable";
    await world.coordinator.expireOffsets();
    expect(world.committed()).toBe(1);
    world.log.failure = null;
    await world.coordinator.expireOffsets();
    expect(world.list().groups).toEqual([]);
  });

  test("an empty group without offsets is removed, one that is being joined is not", async () => {
    const world = await GroupWorld.start({ config });
    const { memberId } = only(await world.stableGroup(1));
    await world.leave({ members: [{ memberId }] });
    await world.join({ groupId: "promised" });
    await world.coordinator.expireOffsets();
    expect(world.list().groups.map((group) => group.groupId)).toEqual(["promised"]);
    expect((await world.reread()).list().groups).toEqual([]);
  });
});
