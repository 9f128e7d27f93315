import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, only } from "./group-world.ts";

describe("sessions", () => {
  test("a member that stops heartbeating is out after its session timeout, the others rebalance", async () => {
    const world = await GroupWorld.start();
    const [leader, silent] = await world.stableGroup(2);
    const beat = (memberId = ""): number => world.heartbeat({ memberId, generationId: 1 });
    await world.clock.advance(5_000);
    expect(beat(leader?.memberId)).toBe(ErrorCode.none);
    await world.clock.advance(5_000);
    expect(beat(leader?.memberId)).toBe(ErrorCode.rebalanceInProgress);
    expect(beat(silent?.memberId)).toBe(ErrorCode.unknownMemberId);
  });

  test("each heartbeat gives the whole session timeout", async () => {
    const world = await GroupWorld.start();
    const { memberId, generationId } = only(await world.stableGroup(1));
    for (let beats = 0; beats < 10; beats++) {
      await world.clock.advance(9_999);
      expect(world.heartbeat({ memberId, generationId })).toBe(ErrorCode.none);
    }
    await world.clock.advance(10_000);
    expect(world.describe("g")).toMatchObject({ groupState: "Empty", members: [] });
    expect(world.clock.timerCount).toBe(0);
  });

  test("heartbeats are judged by member, generation and group", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    expect(world.heartbeat({ memberId, generationId: 0 })).toBe(ErrorCode.illegalGeneration);
    expect(world.heartbeat({ memberId: "ghost", generationId: 1 })).toBe(ErrorCode.unknownMemberId);
    expect(world.heartbeat({ groupId: "nowhere", memberId, generationId: 1 })).toBe(
      ErrorCode.unknownMemberId,
    );
    expect(world.heartbeat({ groupId: "", memberId, generationId: 1 })).toBe(ErrorCode.invalidGroupId);
  });

  test("a heartbeat between join and sync is welcome, during a rebalance it is told to rejoin (trap 43)", async () => {
    const world = await GroupWorld.start();
    const { memberId } = await world.joinNew();
    await world.clock.advance(3_000);
    expect(world.heartbeat({ memberId, generationId: 1 })).toBe(ErrorCode.none);
    await world.join({}, { version: 3 });
    expect(world.heartbeat({ memberId, generationId: 1 })).toBe(ErrorCode.rebalanceInProgress);
  });

  test("a parked rejoin does not expire, however long the rebalance takes", async () => {
    const world = await GroupWorld.start();
    const [leader] = await world.stableGroup(2, { sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 60_000 });
    const parked = await world.join({
      memberId: leader?.memberId ?? "",
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 60_000,
    });
    // The other one's session ends first, and that completes the rebalance.
    await world.clock.advance(6_000);
    expect(parked.answer).toMatchObject({ errorCode: 0, generationId: 2 });
  });

  test("a parked SyncGroup does not expire while the leader takes its time", async () => {
    const world = await GroupWorld.start();
    const joins = [(await world.joinNew()).joined, (await world.joinNew()).joined];
    await world.clock.advance(6_000);
    const [leader, follower] = joins.map((join) => join.answer);
    const parked = await world.sync({ memberId: follower?.memberId ?? "", generationId: 1 });
    const beat = { memberId: leader?.memberId ?? "", generationId: 1 };
    for (let second = 0; second < 20; second++) {
      await world.clock.advance(1_000);
      expect(world.heartbeat(beat)).toBe(ErrorCode.none);
    }
    await world.sync(beat);
    expect(parked.answer.errorCode).toBe(ErrorCode.none);
  });

  test("a newcomer whose join stays parked is dropped after five minutes", async () => {
    const world = await GroupWorld.start();
    const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 };
    await world.stableGroup(1, long);
    const newcomer = await world.join(long, { version: 3 });
    await world.clock.advance(299_999);
    expect(newcomer.isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(newcomer.answer.errorCode).toBe(ErrorCode.unknownMemberId);
  });

  test("a rebalance waits for an id that was promised, but not for ever", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    await world.join({ sessionTimeoutMs: 6_000 });
    const rejoin = await world.join({ memberId });
    expect(rejoin.isAnswered).toBe(false);
    await world.clock.advance(6_000);
    expect(rejoin.answer.generationId).toBe(2);
  });
});

describe("LeaveGroup", () => {
  test.each([0, 1, 2])("version %i takes one member out, by its id", async (version) => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    expect((await world.leave({ memberId: "ghost" }, { version })).errorCode).toBe(ErrorCode.unknownMemberId);
    expect((await world.leave({ memberId }, { version })).errorCode).toBe(ErrorCode.none);
    expect(world.describe("g").groupState).toBe("Empty");
  });

  test("from version 3 on, several leave and each gets its own answer", async () => {
    const world = await GroupWorld.start();
    const [a, b, c] = await world.stableGroup(3);
    const members = [a, b].map((member) => ({ memberId: member?.memberId ?? "" }));
    const answer = await world.leave({ members: [...members, { memberId: "ghost" }] }, { version: 5 });
    expect(answer.errorCode).toBe(ErrorCode.none);
    expect(answer.members.map((member) => member.errorCode)).toEqual([0, 0, ErrorCode.unknownMemberId]);
    expect(world.heartbeat({ memberId: c?.memberId ?? "", generationId: 1 })).toBe(
      ErrorCode.rebalanceInProgress,
    );
  });

  test("an unknown group knows no members; the empty name is none", async () => {
    const world = await GroupWorld.start();
    const answer = await world.leave({ groupId: "nowhere", members: [{ memberId: "m" }] });
    expect(answer).toMatchObject({ errorCode: 0, members: [{ errorCode: ErrorCode.unknownMemberId }] });
    expect((await world.leave({ groupId: "", members: [] })).errorCode).toBe(ErrorCode.invalidGroupId);
  });

  test("a parked member that leaves by another connection is answered, and the others go on", async () => {
    const world = await GroupWorld.start();
    const [a, b] = await world.stableGroup(2);
    const parked = await world.join({ memberId: a?.memberId ?? "" });
    await world.leave({ members: [{ memberId: a?.memberId ?? "" }] });
    expect(parked.answer.errorCode).toBe(ErrorCode.unknownMemberId);
    expect((await world.join({ memberId: b?.memberId ?? "" })).answer.generationId).toBe(2);
  });

  test("a promised id can leave before it joins", async () => {
    const world = await GroupWorld.start();
    const { memberId } = (await world.join({})).answer;
    expect(only((await world.leave({ members: [{ memberId }] })).members).errorCode).toBe(ErrorCode.none);
    expect(world.list().groups).toEqual([]);
  });

  test("the last member to leave empties the group, and the next one begins a new generation", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    await world.leave({ members: [{ memberId }] });
    const { joined } = await world.joinNew();
    await world.clock.advance(3_000);
    expect(joined.answer.generationId).toBe(3);
  });
});

describe("coordinators", () => {
  test("only the coordinator of a group's partition answers for it", async () => {
    const world = new GroupWorld();
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.notCoordinator);
    expect((await world.sync({})).answer.errorCode).toBe(ErrorCode.notCoordinator);
    expect(world.heartbeat({})).toBe(ErrorCode.notCoordinator);
    expect((await world.leave({})).errorCode).toBe(ErrorCode.notCoordinator);
    expect(world.describe("g").errorCode).toBe(ErrorCode.notCoordinator);
    expect(world.list()).toMatchObject({ errorCode: 0, groups: [] });
    expect(await world.delete("g")).toBe(ErrorCode.notCoordinator);
    expect(await world.commitError({ offset: 1 })).toBe(ErrorCode.notCoordinator);
    expect(world.fetch({ groupId: "g" }).errorCode).toBe(ErrorCode.notCoordinator);
    expect((await world.deleteOffsets("orders")).errorCode).toBe(ErrorCode.notCoordinator);
  });

  test("while it loads it says so, in the words that each client understands", async () => {
    const world = new GroupWorld();
    let finish = (): void => {};
    world.log.onLoad = () => new Promise((resolve) => (finish = resolve));
    const taken = world.takeAll();
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.coordinatorLoadInProgress);
    expect((await world.sync({})).answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
    expect(world.heartbeat({})).toBe(ErrorCode.none);
    expect(world.describe("g").errorCode).toBe(ErrorCode.coordinatorLoadInProgress);
    expect(world.list().errorCode).toBe(ErrorCode.coordinatorLoadInProgress);
    expect(await world.commitError({ offset: 1 })).toBe(ErrorCode.coordinatorLoadInProgress);
    expect(world.fetch({ groupId: "g" }).errorCode).toBe(ErrorCode.coordinatorLoadInProgress);
    finish();
    await taken;
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.memberIdRequired);
  });

  test("one that resigns sends those who wait away and leaves no timer", async () => {
    const world = await GroupWorld.start();
    const members = await world.stableGroup(3);
    const parkedJoin = await world.join({ memberId: members[0]?.memberId ?? "" });
    await world.join({});
    world.coordinator.resign(0);
    await world.clock.advance(0);
    expect(parkedJoin.answer.errorCode).toBe(ErrorCode.notCoordinator);
    expect(world.clock.timerCount).toBe(0);
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.notCoordinator);
  });

  test("one that resigns while it loads does not answer from what it read", async () => {
    const before = await GroupWorld.start();
    await before.stableGroup(1);
    const world = new GroupWorld({ log: before.log, clock: before.clock });
    before.coordinator.close();
    let finish = (): void => {};
    world.log.onLoad = () => new Promise((resolve) => (finish = resolve));
    const taken = world.coordinator.take(0);
    world.coordinator.resign(0);
    finish();
    await taken;
    expect(world.describe("g").errorCode).toBe(ErrorCode.notCoordinator);
    expect(world.clock.timerCount).toBe(0);
  });

  test("a log that cannot be read leaves the partition unavailable until it is taken again", async () => {
    const world = new GroupWorld();
    world.log.onLoad = () => Promise.reject(new Error("Cannot read: torn"));
    await expect(world.takeAll()).rejects.toThrow("torn");
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.coordinatorNotAvailable);
    world.coordinator.resign(0);
    world.log.onLoad = () => Promise.resolve();
    await world.takeAll();
    expect((await world.join({})).answer.errorCode).toBe(ErrorCode.memberIdRequired);
  });
});
