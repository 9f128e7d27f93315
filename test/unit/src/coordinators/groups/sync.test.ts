import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, type Joined, subscription } from "./group-world.ts";

/** A group of `count` members that know their generation and have no assignment yet. */
async function joinedGroup(world: GroupWorld, count: number): Promise<Joined[]> {
  const joins = [];
  for (let index = 0; index < count; index++) joins.push((await world.joinNew()).joined);
  await world.clock.advance(10_000);
  return joins.map((join) => join.answer).sort((a, b) => b.members.length - a.members.length);
}

function first(members: readonly Joined[]): Joined {
  const [member] = members;
  if (!member) throw new Error("Cannot take the first member: none");
  return member;
}

describe("SyncGroup", () => {
  test("parks followers until the leader's assignment is in the log (trap 43)", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await joinedGroup(world, 2);
    const waiting = await world.sync({ memberId: follower?.memberId ?? "", generationId: 1 });
    expect(waiting.isAnswered).toBe(false);

    world.log.isHolding = true;
    const assignments = [{ memberId: follower?.memberId ?? "", assignment: Buffer.from("p0") }];
    const led = await world.sync({ memberId: leader?.memberId ?? "", generationId: 1, assignments });
    expect(led.isAnswered).toBe(false);
    expect(waiting.isAnswered).toBe(false);
    expect(world.describe("g").groupState).toBe("CompletingRebalance");

    world.log.release();
    await world.clock.advance(0);
    expect(waiting.answer).toMatchObject({ errorCode: 0, assignment: Buffer.from("p0") });
    expect(led.answer).toMatchObject({ errorCode: 0, assignment: Buffer.alloc(0) });
    expect(world.describe("g").groupState).toBe("Stable");
  });

  test("answers the assignment at once in a stable group", async () => {
    const world = await GroupWorld.start();
    const members = await world.stableGroup(2);
    const again = await world.sync({ memberId: members[1]?.memberId ?? "", generationId: 1 });
    expect(again.answer).toMatchObject({ errorCode: 0, assignment: Buffer.from([1]) });
  });

  test("refuses unknown members, other generations and other protocols", async () => {
    const world = await GroupWorld.start();
    const { memberId } = first(await world.stableGroup(1));
    const error = async (input: object, version: number): Promise<number> =>
      (await world.sync({ memberId, generationId: 1, ...input }, { version })).answer.errorCode;

    expect(await error({ memberId: "ghost" }, 0)).toBe(ErrorCode.unknownMemberId);
    expect(await error({ groupId: "nowhere" }, 0)).toBe(ErrorCode.unknownMemberId);
    expect(await error({ groupId: "" }, 0)).toBe(ErrorCode.invalidGroupId);
    expect(await error({ generationId: 2 }, 0)).toBe(ErrorCode.illegalGeneration);
    const names = { protocolType: "consumer", protocolName: "range" };
    expect(await error(names, 5)).toBe(ErrorCode.none);
    expect(await error({}, 5)).toBe(ErrorCode.inconsistentGroupProtocol);
    expect(await error({ ...names, protocolType: "connect" }, 5)).toBe(ErrorCode.inconsistentGroupProtocol);
    expect(await error({ ...names, protocolName: "sticky" }, 5)).toBe(ErrorCode.inconsistentGroupProtocol);
  });

  test("is told to rejoin while a rebalance is prepared, also when it was parked before", async () => {
    const world = await GroupWorld.start();
    const [, follower] = await joinedGroup(world, 2);
    const sync = { memberId: follower?.memberId ?? "", generationId: 1 };
    const parked = await world.sync(sync);
    await world.join({}, { version: 3 });
    expect(parked.answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
    expect((await world.sync(sync)).answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
  });

  test("a rebalance that starts while the assignment is being stored wins", async () => {
    const world = await GroupWorld.start();
    const leader = first(await joinedGroup(world, 1));
    world.log.isHolding = true;
    const led = await world.sync({ memberId: leader.memberId, generationId: 1 });
    await world.join({}, { version: 3 });
    expect(led.answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
    world.log.release();
    await world.clock.advance(0);
    expect(world.describe("g").groupState).toBe("PreparingRebalance");
  });

  test("an assignment that was stored late does not pass for the next generation's", async () => {
    const world = await GroupWorld.start();
    const { memberId } = first(await joinedGroup(world, 1));
    world.log.isHolding = true;
    await world.sync({ memberId, generationId: 1 });
    const newcomer = await world.join({}, { version: 3 });
    await world.join({ memberId });
    expect(newcomer.answer.generationId).toBe(2);
    world.log.release();
    await world.clock.advance(0);
    expect(world.describe("g").groupState).toBe("CompletingRebalance");
  });

  test("a leader that retries does not store a second assignment", async () => {
    const world = await GroupWorld.start();
    const { memberId } = first(await joinedGroup(world, 1));
    world.log.isHolding = true;
    const assign = (text: string) =>
      world.sync({ memberId, generationId: 1, assignments: [{ memberId, assignment: Buffer.from(text) }] });
    const original = await assign("first");
    const retry = await assign("second");
    world.log.release();
    await world.clock.advance(0);
    expect(original.answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
    expect(retry.answer.assignment).toEqual(Buffer.from("first"));
    const restarted = await world.restart();
    expect(restarted.describe("g").members[0]?.memberAssignment).toEqual(Buffer.from("first"));
  });

  test.each([
    ["notLeader", ErrorCode.notCoordinator],
    ["unavailable", ErrorCode.coordinatorNotAvailable],
    ["tooLarge", ErrorCode.unknownServerError],
  ] as const)("a log that fails as %s fails the generation, not the members", async (failure, errorCode) => {
    const world = await GroupWorld.start();
    const members = await joinedGroup(world, 2);
    world.log.failure = failure;
    const [led, followed] = await world.syncAll(members);
    expect(led?.errorCode).toBe(errorCode);
    expect(followed?.errorCode).toBe(ErrorCode.rebalanceInProgress);
    world.log.failure = null;
    const rejoins = [];
    for (const { memberId } of members) rejoins.push(await world.join({ memberId }));
    expect(rejoins.map((join) => join.answer.generationId)).toEqual([2, 2]);
  });

  test("a member that never syncs loses its place after the rebalance timeout", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await joinedGroup(world, 2);
    await world.sync({ memberId: leader?.memberId ?? "", generationId: 1 });
    const beat = (): number => world.heartbeat({ memberId: leader?.memberId ?? "", generationId: 1 });
    const followerBeat = (): number =>
      world.heartbeat({ memberId: follower?.memberId ?? "", generationId: 1 });
    for (let second = 0; second < 23; second++) {
      await world.clock.advance(1_000);
      expect([beat(), followerBeat()]).toEqual([0, 0]);
    }
    await world.clock.advance(7_000);
    expect(beat()).toBe(ErrorCode.rebalanceInProgress);
    expect(followerBeat()).toBe(ErrorCode.unknownMemberId);
  });

  test("an assignment does not keep the request's bytes", async () => {
    const world = await GroupWorld.start();
    const { memberId } = first(await joinedGroup(world, 1));
    const assignment = Buffer.from("p0");
    const request = {
      groupId: "g",
      generationId: 1,
      memberId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: [{ memberId, assignment }],
    };
    await world.coordinator.syncGroup(request, { version: 3 });
    assignment.fill(0);
    expect(world.describe("g").members[0]?.memberAssignment).toEqual(Buffer.from("p0"));
  });

  test("metadata of a parked request does not keep the request's bytes", async () => {
    const world = await GroupWorld.start();
    const metadata = Buffer.from(subscription("orders"));
    const request = {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata }],
      reason: null,
    };
    const joined = world.coordinator.joinGroup(request, { version: 3, clientId: "app", clientHost: "/h" });
    metadata.fill(0);
    await world.clock.advance(3_000);
    expect(Buffer.from((await joined).members[0]?.metadata ?? "")).toEqual(
      Buffer.from(subscription("orders")),
    );
  });
});
