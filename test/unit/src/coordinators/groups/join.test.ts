import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, only, subscription } from "./group-world.ts";

describe("member ids (trap 40)", () => {
  test.each([0, 1, 2, 3])("a newcomer of version %i joins at once", async (version) => {
    const world = await GroupWorld.start();
    const join = await world.join({}, { version });
    expect(join.isAnswered).toBe(false);
    await world.clock.advance(3_000);
    expect(join.answer).toMatchObject({ errorCode: ErrorCode.none, generationId: 1 });
  });

  test.each([4, 5, 6, 7, 8, 9])(
    "a newcomer of version %i must come back with the id it is given",
    async (version) => {
      const world = await GroupWorld.start();
      const first = await world.join({}, { version });
      expect(first.answer).toMatchObject({ errorCode: ErrorCode.memberIdRequired, memberId: "app-uuid-1" });
      const { memberId } = first.answer;
      const second = await world.join({ memberId }, { version });
      await world.clock.advance(3_000);
      expect(second.answer).toMatchObject({ errorCode: ErrorCode.none, generationId: 1, memberId });
    },
  );

  test("a static newcomer joins at once, under an id that begins with its name (trap 41)", async () => {
    const world = await GroupWorld.start();
    const join = await world.join({ groupInstanceId: "till-7" }, { version: 5 });
    await world.clock.advance(3_000);
    expect(join.answer).toMatchObject({ errorCode: ErrorCode.none, memberId: "till-7-uuid-1" });
  });

  test("an id that nobody used is forgotten after its session timeout, and the group with it", async () => {
    const world = await GroupWorld.start();
    const { memberId } = (await world.join({ sessionTimeoutMs: 7_000 })).answer;
    await world.clock.advance(6_999);
    expect(world.list().groups).toHaveLength(1);
    await world.clock.advance(1);
    expect(world.list().groups).toEqual([]);
    const late = await world.join({ memberId });
    expect(late.answer.errorCode).toBe(ErrorCode.unknownMemberId);
    expect(world.clock.timerCount).toBe(0);
  });

  test("only so many ids are promised: the oldest one gives way", async () => {
    const world = await GroupWorld.start({ config: { pendingMemberCountMax: 2 } });
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.push((await world.join({})).answer.memberId);
    const [oldest = "", second = ""] = ids;
    expect((await world.join({ memberId: oldest })).answer.errorCode).toBe(ErrorCode.unknownMemberId);
    expect((await world.join({ memberId: second })).isAnswered).toBe(false);
  });

  test("an unknown id, in a group or without one, is refused", async () => {
    const world = await GroupWorld.start();
    expect((await world.join({ memberId: "ghost" })).answer.errorCode).toBe(ErrorCode.unknownMemberId);
    await world.stableGroup(1);
    expect((await world.join({ memberId: "ghost" })).answer).toMatchObject({
      errorCode: ErrorCode.unknownMemberId,
      memberId: "ghost",
      generationId: -1,
    });
  });
});

describe("what a join must bring", () => {
  test.each([5_999, 1_800_001])(
    "a session timeout of %i ms is refused (trap 44)",
    async (sessionTimeoutMs) => {
      const world = await GroupWorld.start();
      const join = await world.join({ sessionTimeoutMs });
      expect(join.answer.errorCode).toBe(ErrorCode.invalidSessionTimeout);
    },
  );

  test("the empty group id is refused", async () => {
    const world = await GroupWorld.start();
    expect((await world.join({ groupId: "" })).answer.errorCode).toBe(ErrorCode.invalidGroupId);
  });

  test("protocols are required, and a refused founder leaves no group behind", async () => {
    const world = await GroupWorld.start();
    for (const version of [0, 5, 9]) {
      const join = await world.join({ protocols: [] }, { version });
      expect(join.answer.errorCode).toBe(ErrorCode.inconsistentGroupProtocol);
    }
    expect((await world.join({ protocolType: "" })).answer.errorCode).toBe(
      ErrorCode.inconsistentGroupProtocol,
    );
    expect(world.list().groups).toEqual([]);
  });

  test("another protocol type, or no protocol in common, is refused", async () => {
    const world = await GroupWorld.start();
    await world.stableGroup(1);
    const connect = await world.join({ protocolType: "connect" });
    expect(connect.answer.errorCode).toBe(ErrorCode.inconsistentGroupProtocol);
    const sticky = await world.join({ protocols: [{ name: "sticky", metadata: subscription("orders") }] });
    expect(sticky.answer.errorCode).toBe(ErrorCode.inconsistentGroupProtocol);
  });

  test("names that no record can hold are refused before they can do harm", async () => {
    const world = await GroupWorld.start();
    // 32,767 bytes on the wire that are no UTF-8 take three times as many once decoded.
    const long = Buffer.alloc(2 ** 15 - 1, 0xff).toString();
    const valid = {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [],
      reason: null,
    };
    const error = async (input: object, clientId = "app"): Promise<number> => {
      const context = { version: 9, clientId, clientHost: "/h" };
      return (await world.coordinator.joinGroup({ ...valid, ...input }, context)).errorCode;
    };
    expect(await error({ groupId: long })).toBe(ErrorCode.invalidGroupId);
    expect(await error({}, "x".repeat(2 ** 15 - 1))).toBe(ErrorCode.invalidRequest);
    expect(await error({ groupInstanceId: long })).toBe(ErrorCode.invalidRequest);
    expect(await error({ protocolType: long })).toBe(ErrorCode.invalidRequest);
    expect(await error({ protocols: [{ name: long, metadata: subscription("orders") }] })).toBe(
      ErrorCode.invalidRequest,
    );
    expect(world.list().groups).toEqual([]);
  });

  test("groups beyond the partition's bound are refused with a retriable error", async () => {
    const world = await GroupWorld.start({ config: { groupCountMax: 1 } });
    await world.join({ groupId: "a" });
    expect((await world.join({ groupId: "b" })).answer.errorCode).toBe(ErrorCode.coordinatorNotAvailable);
  });
});

describe("the first generation", () => {
  test("waits for company, and once more after each arrival (trap 44)", async () => {
    const world = await GroupWorld.start();
    const first = await world.join({}, { version: 0 });
    await world.clock.advance(2_000);
    const second = await world.join({}, { version: 0 });
    await world.clock.advance(3_999);
    expect(first.isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(first.answer.generationId).toBe(1);
    expect(second.answer.generationId).toBe(1);
  });

  test("waits no longer than the rebalance timeout", async () => {
    const world = await GroupWorld.start();
    const first = await world.join({ rebalanceTimeoutMs: 7_000 }, { version: 1 });
    for (let second = 0; second < 6; second++) {
      await world.clock.advance(1_000);
      await world.join({ rebalanceTimeoutMs: 7_000 }, { version: 1 });
    }
    await world.clock.advance(999);
    expect(first.isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(first.answer.generationId).toBe(1);
  });

  test("has one leader, who alone gets the members (trap 42)", async () => {
    const world = await GroupWorld.start();
    const joins = [];
    for (const clientId of ["a", "b", "c"]) joins.push(await world.join({}, { version: 3, clientId }));
    await world.clock.advance(10_000);
    const [leader, ...followers] = joins.map((join) => join.answer);
    expect(leader?.members.map((member) => member.memberId)).toEqual(["a-uuid-1", "b-uuid-2", "c-uuid-3"]);
    expect(leader?.members[0]?.metadata).toEqual(Buffer.from(subscription("orders")));
    for (const follower of followers) {
      expect(follower).toMatchObject({ leader: leader?.memberId, members: [], protocolName: "range" });
    }
  });

  test("runs the protocol that most members prefer of those that all support", async () => {
    const world = await GroupWorld.start();
    const metadata = subscription("orders");
    const preferences = [
      ["sticky", "range"],
      ["range", "cooperative", "sticky"],
      ["range", "sticky"],
    ];
    const joins = [];
    for (const names of preferences) {
      joins.push(await world.join({ protocols: names.map((name) => ({ name, metadata })) }, { version: 3 }));
    }
    await world.clock.advance(10_000);
    for (const join of joins) expect(join.answer.protocolName).toBe("range");
  });

  test("names the protocol type from version 7 on", async () => {
    const world = await GroupWorld.start();
    const { joined } = await world.joinNew({}, { version: 7 });
    await world.clock.advance(3_000);
    expect(joined.answer.protocolType).toBe("consumer");
    const failed = await world.join({ memberId: "ghost" }, { version: 7 });
    expect(failed.answer.protocolName).toBe(null);
  });
});

describe("rejoining", () => {
  test("a follower that joins again with the same metadata gets the current generation (trap 42)", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await world.stableGroup(2);
    const again = await world.join({ memberId: follower?.memberId ?? "" });
    expect(again.answer).toMatchObject({
      errorCode: ErrorCode.none,
      generationId: 1,
      leader: leader?.memberId,
    });
    expect(world.describe("g").groupState).toBe("Stable");
  });

  test("a follower with other metadata, and any join of the leader, start a rebalance (trap 42)", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await world.stableGroup(2);
    const changed = await world.join({
      memberId: follower?.memberId ?? "",
      protocols: [{ name: "range", metadata: subscription("events") }],
    });
    expect(changed.isAnswered).toBe(false);
    expect(world.describe("g").groupState).toBe("PreparingRebalance");
    const led = await world.join({ memberId: leader?.memberId ?? "" });
    expect(changed.answer.generationId).toBe(2);
    expect(led.answer.members).toHaveLength(2);

    await world.syncAll([led.answer, changed.answer]);
    await world.join({ memberId: leader?.memberId ?? "" });
    expect(world.describe("g").groupState).toBe("PreparingRebalance");
  });

  test("the same join again before the assignment is a retry and gets the same answer", async () => {
    const world = await GroupWorld.start();
    const { memberId, joined } = await world.joinNew();
    await world.clock.advance(3_000);
    const again = await world.join({ memberId });
    expect(again.answer).toEqual(joined.answer);
    expect(only(again.answer.members).memberId).toBe(memberId);
  });

  test("a second join while the first is parked takes its place, and both are answered", async () => {
    const world = await GroupWorld.start();
    const [leader] = await world.stableGroup(2);
    const memberId = leader?.memberId ?? "";
    const first = await world.join({ memberId });
    const second = await world.join({ memberId });
    expect(first.answer.errorCode).toBe(ErrorCode.rebalanceInProgress);
    await world.clock.advance(30_000);
    expect(second.answer).toMatchObject({ errorCode: ErrorCode.none, generationId: 2 });
  });

  test("who does not rejoin within the rebalance timeout is out", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await world.stableGroup(2, { sessionTimeoutMs: 100_000 });
    const rejoin = await world.join({ memberId: follower?.memberId ?? "", protocols: other });
    await world.clock.advance(29_999);
    expect(rejoin.isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(rejoin.answer).toMatchObject({ generationId: 2, leader: follower?.memberId });
    const { memberId = "", generationId } = leader ?? {};
    expect(world.heartbeat({ memberId, generationId: generationId ?? 0 })).toBe(ErrorCode.unknownMemberId);
  });

  test("version 0 has the session timeout as its rebalance timeout", async () => {
    const world = await GroupWorld.start();
    const first = await world.join({ sessionTimeoutMs: 20_000 }, { version: 0 });
    await world.clock.advance(3_000);
    await world.syncAll([first.answer]);
    const second = await world.join({ sessionTimeoutMs: 20_000 }, { version: 0 });
    await world.clock.advance(19_999);
    expect(second.isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(second.answer.generationId).toBe(2);
  });

  test("concurrent newcomers lose nobody (trap 43)", async () => {
    const world = await GroupWorld.start();
    const joins = await Promise.all(Array.from({ length: 50 }, () => world.joinNew()));
    await world.clock.advance(30_000);
    const answers = joins.map(({ joined }) => joined.answer);
    expect(new Set(answers.map((answer) => answer.memberId)).size).toBe(50);
    expect(answers.filter((answer) => answer.members.length === 50)).toHaveLength(1);
    for (const answer of answers) expect(answer).toMatchObject({ errorCode: 0, generationId: 1 });
  });

  test("generations follow each other as fast as members rejoin (trap 51)", async () => {
    const world = await GroupWorld.start();
    let members = await world.stableGroup(3);
    for (let generation = 2; generation <= 20; generation++) {
      const rejoins = [];
      for (const { memberId } of members) {
        const userData = Buffer.alloc(generation * 1_000, generation);
        rejoins.push(await world.join({ memberId, protocols: [{ name: "range", metadata: userData }] }));
      }
      members = rejoins.map((rejoin) => rejoin.answer).sort((a, b) => b.members.length - a.members.length);
      for (const member of members) expect(member.generationId).toBe(generation);
      await world.syncAll(members);
    }
    expect(world.describe("g").groupState).toBe("Stable");
  });
});

describe("group.max.size", () => {
  test("members beyond it are refused, a member that is in stays", async () => {
    const world = await GroupWorld.start({ config: { memberCountMax: 2 } });
    const [leader] = await world.stableGroup(2);
    const third = await world.join({}, { version: 3 });
    expect(third.answer).toMatchObject({ errorCode: ErrorCode.groupMaxSizeReached, memberId: "" });
    const again = await world.join({ memberId: leader?.memberId ?? "" });
    expect(again.isAnswered).toBe(false);
  });

  test("while members join, the first to come get the places", async () => {
    const world = await GroupWorld.start({ config: { memberCountMax: 2 } });
    const joins = [];
    for (let count = 0; count < 3; count++) joins.push(await world.join({}, { version: 3 }));
    expect(joins[2]?.answer.errorCode).toBe(ErrorCode.groupMaxSizeReached);
    await world.clock.advance(10_000);
    expect(joins[0]?.answer.members).toHaveLength(2);
  });

  test("a lowered limit is enforced by a rebalance after the load", async () => {
    const before = await GroupWorld.start();
    const members = await before.stableGroup(3);
    const world = await before.restart({ memberCountMax: 2 });
    expect(world.describe("g").groupState).toBe("PreparingRebalance");
    const rejoins = [];
    for (const { memberId } of members) rejoins.push(await world.join({ memberId }));
    expect(rejoins.map((join) => join.answer.errorCode)).toEqual([0, 0, ErrorCode.groupMaxSizeReached]);
  });
});

const other = [{ name: "range", metadata: subscription("events") }];
