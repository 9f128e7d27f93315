import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, type Joined, subscription } from "./group-world.ts";

/** A stable group of static members "a" (the leader) and "b". */
async function staticPair(world: GroupWorld): Promise<[Joined, Joined]> {
  const a = await world.join({ groupInstanceId: "a" });
  const b = await world.join({ groupInstanceId: "b" });
  await world.clock.advance(10_000);
  await world.syncAll([a.answer, b.answer]);
  return [a.answer, b.answer];
}

describe("static members (KIP-345, trap 45)", () => {
  test("a restarted follower takes its place under a new id, without a rebalance", async () => {
    const world = await GroupWorld.start();
    const [a, b] = await staticPair(world);
    const back = await world.join({ groupInstanceId: "b" });
    expect(back.answer).toMatchObject({ errorCode: 0, generationId: 1, leader: a.memberId, members: [] });
    expect(back.answer.memberId).not.toBe(b.memberId);
    expect(world.describe("g").groupState).toBe("Stable");
    const sync = await world.sync({ memberId: back.answer.memberId, groupInstanceId: "b", generationId: 1 });
    expect(sync.answer.assignment).toEqual(Buffer.from([1]));
  });

  test("the old self is fenced wherever it shows up", async () => {
    const world = await GroupWorld.start();
    const [, { memberId }] = await staticPair(world);
    await world.join({ groupInstanceId: "b" });
    const old = { memberId, groupInstanceId: "b", generationId: 1 };
    expect(world.heartbeat(old)).toBe(ErrorCode.fencedInstanceId);
    expect((await world.sync(old)).answer.errorCode).toBe(ErrorCode.fencedInstanceId);
    expect((await world.join({ memberId, groupInstanceId: "b" })).answer.errorCode).toBe(
      ErrorCode.fencedInstanceId,
    );
    const commit = { offset: 1, memberId, groupInstanceId: "b", generationIdOrMemberEpoch: 1 };
    expect(await world.commitError(commit)).toBe(ErrorCode.fencedInstanceId);
    const left = await world.leave({ members: [{ memberId, groupInstanceId: "b" }] });
    expect(left.members[0]?.errorCode).toBe(ErrorCode.fencedInstanceId);
  });

  test("a restarted leader is not told that it leads before version 9, lest it assigns in vain", async () => {
    const world = await GroupWorld.start();
    const [a] = await staticPair(world);
    const back = await world.join({ groupInstanceId: "a" }, { version: 8 });
    expect(back.answer).toMatchObject({ generationId: 1, leader: a.memberId, members: [] });
    expect(world.describe("g").groupState).toBe("Stable");
  });

  test("from version 9 on a restarted leader leads, and is told to skip the assignment (KIP-814)", async () => {
    const world = await GroupWorld.start();
    await staticPair(world);
    const back = await world.join({ groupInstanceId: "a" }, { version: 9 });
    expect(back.answer).toMatchObject({
      generationId: 1,
      skipAssignment: true,
      leader: back.answer.memberId,
    });
    expect(back.answer.members.map((member) => member.groupInstanceId).sort()).toEqual(["a", "b"]);
    const follower = await world.join({ groupInstanceId: "b" }, { version: 9 });
    expect(follower.answer).toMatchObject({ skipAssignment: false, members: [] });
  });

  test("the new self brings its own timeouts and client (redpanda 23693)", async () => {
    const world = await GroupWorld.start();
    const [a] = await staticPair(world);
    await world.join(
      { groupInstanceId: "b", sessionTimeoutMs: 20_000 },
      { clientId: "second", clientHost: "/10.0.0.9" },
    );
    const described = world.describe("g").members.find((member) => member.groupInstanceId === "b");
    expect(described).toMatchObject({ clientId: "second", clientHost: "/10.0.0.9" });
    await world.clock.advance(9_000);
    expect(world.heartbeat({ memberId: a.memberId, generationId: 1 })).toBe(ErrorCode.none);
    await world.clock.advance(9_000);
    expect(world.heartbeat({ memberId: a.memberId, generationId: 1 })).toBe(ErrorCode.none);
    await world.clock.advance(2_000);
    expect(world.heartbeat({ memberId: a.memberId, generationId: 1 })).toBe(ErrorCode.rebalanceInProgress);
  });

  test("a restart that changes the elected protocol starts a rebalance", async () => {
    const world = await GroupWorld.start();
    const metadata = subscription("orders");
    const protocols = ["range", "sticky"].map((name) => ({ name, metadata }));
    const only = await world.join({ groupInstanceId: "a", protocols });
    await world.clock.advance(10_000);
    await world.syncAll([only.answer]);
    const back = await world.join({ groupInstanceId: "a", protocols: protocols.toReversed() });
    expect(back.answer).toMatchObject({ generationId: 2, protocolName: "sticky" });
  });

  test("a restart between join and sync starts a rebalance and fences the parked SyncGroup", async () => {
    const world = await GroupWorld.start();
    const a = await world.join({ groupInstanceId: "a" });
    const b = await world.join({ groupInstanceId: "b" });
    await world.clock.advance(10_000);
    const parked = await world.sync({ memberId: b.answer.memberId, groupInstanceId: "b", generationId: 1 });
    const back = await world.join({ groupInstanceId: "b" });
    expect(parked.answer.errorCode).toBe(ErrorCode.fencedInstanceId);
    expect(back.isAnswered).toBe(false);
    const again = await world.join({ memberId: a.answer.memberId, groupInstanceId: "a" });
    expect(again.answer.generationId).toBe(2);
    expect(back.answer.generationId).toBe(2);
  });

  test("a second start of the same name while the first is parked fences the first", async () => {
    const world = await GroupWorld.start();
    const first = await world.join({ groupInstanceId: "a" });
    const second = await world.join({ groupInstanceId: "a" });
    expect(first.answer.errorCode).toBe(ErrorCode.fencedInstanceId);
    await world.clock.advance(3_000);
    expect(second.answer).toMatchObject({ errorCode: 0, generationId: 1 });
    expect(second.answer.members).toHaveLength(1);
  });

  test("a static member that is away keeps its place through a rebalance", async () => {
    const world = await GroupWorld.start();
    const long = { sessionTimeoutMs: 300_000 };
    const a = await world.join({ groupInstanceId: "a", ...long });
    await world.join({ groupInstanceId: "b", ...long });
    await world.clock.advance(10_000);
    await world.syncAll([a.answer]);
    const rejoin = await world.join({ memberId: a.answer.memberId, groupInstanceId: "a", ...long });
    await world.clock.advance(30_000);
    expect(rejoin.answer.generationId).toBe(2);
    expect(rejoin.answer.members.map((member) => member.groupInstanceId).sort()).toEqual(["a", "b"]);
  });

  test("a group of absent static members waits, without a busy loop, until their sessions end", async () => {
    const world = await GroupWorld.start();
    const absent = { rebalanceTimeoutMs: 1, sessionTimeoutMs: 20_000 };
    const a = await world.join({ groupInstanceId: "a", ...absent });
    const b = await world.join({ groupInstanceId: "b", ...absent });
    await world.clock.advance(3_000);
    await world.syncAll([a.answer, b.answer]);
    await world.leave({ members: [{ memberId: "", groupInstanceId: "b" }] });
    await world.clock.advance(10_000);
    expect(world.describe("g").groupState).not.toBe("Empty");
    await world.clock.advance(10_000);
    expect(world.describe("g").groupState).toBe("Empty");
    expect(world.clock.timerCount).toBe(0);
    expect(world.clock.firedCount).toBeLessThan(30);
  });

  test("leaves by its name alone, as administrators ask for it", async () => {
    const world = await GroupWorld.start();
    await staticPair(world);
    const answer = await world.leave({
      members: [
        { memberId: "", groupInstanceId: "b" },
        { memberId: "", groupInstanceId: "nobody" },
      ],
    });
    expect(answer.members.map((member) => member.errorCode)).toEqual([0, ErrorCode.unknownMemberId]);
    expect(world.describe("g").members).toHaveLength(1);
  });

  test("keeps its place in a full group", async () => {
    const world = await GroupWorld.start({ config: { memberCountMax: 2 } });
    await staticPair(world);
    expect((await world.join({ groupInstanceId: "b" })).answer.errorCode).toBe(ErrorCode.none);
    expect((await world.join({ groupInstanceId: "c" })).answer.errorCode).toBe(ErrorCode.groupMaxSizeReached);
  });

  test("the new id is durable before it is answered, and taken back when the log fails", async () => {
    const world = await GroupWorld.start();
    const [, b] = await staticPair(world);
    world.log.isHolding = true;
    const back = await world.join({ groupInstanceId: "b" });
    expect(back.isAnswered).toBe(false);
    world.log.release("unavailable");
    await world.clock.advance(0);
    expect(back.answer.errorCode).toBe(ErrorCode.coordinatorNotAvailable);
    expect(world.heartbeat({ memberId: b.memberId, groupInstanceId: "b", generationId: 1 })).toBe(
      ErrorCode.none,
    );
  });

  test("a rebalance that starts while the new id is being stored answers with the next generation", async () => {
    const world = await GroupWorld.start();
    const [a] = await staticPair(world);
    world.log.isHolding = true;
    const back = await world.join({ groupInstanceId: "b" });
    const leader = await world.join({ memberId: a.memberId, groupInstanceId: "a" });
    world.log.release();
    await world.clock.advance(0);
    expect(back.answer).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(leader.answer).toMatchObject({ generationId: 2, leader: a.memberId });
  });

  test("a rebalance that goes on after the new id is stored keeps its answer back", async () => {
    const world = await GroupWorld.start();
    const [a] = await staticPair(world);
    world.log.isHolding = true;
    const back = await world.join({ groupInstanceId: "b" });
    await world.join({}, { version: 3 });
    world.log.release();
    await world.clock.advance(0);
    expect(back.isAnswered).toBe(false);
    await world.join({ memberId: a.memberId, groupInstanceId: "a" });
    expect(back.answer).toMatchObject({ errorCode: 0, generationId: 2 });
  });

  test("a restart before the first SyncGroup leaves the new self in time for it", async () => {
    const world = await GroupWorld.start();
    const a = await world.join({ groupInstanceId: "a", sessionTimeoutMs: 60_000 });
    await world.join({ groupInstanceId: "b", sessionTimeoutMs: 60_000 });
    await world.clock.advance(10_000);
    await world.syncAll([a.answer]);
    const back = await world.join({ groupInstanceId: "b", sessionTimeoutMs: 60_000 });
    await world.sync({ memberId: back.answer.memberId, groupInstanceId: "b", generationId: 1 });
    await world.clock.advance(31_000);
    expect(world.describe("g")).toMatchObject({ groupState: "Stable" });
  });

  test("survives a restart of the coordinator under its last id", async () => {
    const before = await GroupWorld.start();
    await staticPair(before);
    const { memberId } = (await before.join({ groupInstanceId: "b" })).answer;
    const world = await before.restart();
    expect(world.heartbeat({ memberId, groupInstanceId: "b", generationId: 1 })).toBe(ErrorCode.none);
  });
});
