import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, only, subscription } from "./group-world.ts";

describe("DescribeGroups (trap 49)", () => {
  test.each([0, 3, 4, 5])(
    "version %i: a group that does not exist is Dead, without an error",
    async (version) => {
      const world = await GroupWorld.start();
      expect(world.describe("nowhere", { version })).toMatchObject({
        errorCode: 0,
        groupState: "Dead",
        members: [],
      });
    },
  );

  test("version 6: it is not found", async () => {
    const world = await GroupWorld.start();
    expect(world.describe("nowhere", { version: 6 })).toMatchObject({
      errorCode: ErrorCode.groupIdNotFound,
      errorMessage: "Group nowhere not found.",
      groupState: "Dead",
    });
  });

  test("shows protocol and members of a stable group", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    expect(world.describe("g")).toEqual({
      errorCode: 0,
      errorMessage: null,
      groupId: "g",
      groupState: "Stable",
      protocolType: "consumer",
      protocolData: "range",
      members: [
        {
          memberId,
          groupInstanceId: null,
          clientId: "app",
          clientHost: "/10.0.0.1",
          memberMetadata: Buffer.from(subscription("orders")),
          memberAssignment: Buffer.from([0]),
        },
      ],
      authorizedOperations: -0x8000_0000,
    });
  });

  test("keeps metadata back until the group is stable", async () => {
    const world = await GroupWorld.start();
    const { memberId } = await world.joinNew();
    expect(world.describe("g").groupState).toBe("PreparingRebalance");
    await world.clock.advance(3_000);
    const described = world.describe("g");
    expect(described).toMatchObject({ groupState: "CompletingRebalance", protocolData: "" });
    expect(described.members).toMatchObject([{ memberId, memberMetadata: Buffer.alloc(0) }]);
  });
});

describe("ListGroups (trap 49)", () => {
  async function threeGroups(): Promise<GroupWorld> {
    const world = await GroupWorld.start();
    await world.stableGroup(1);
    await world.joinNew({ groupId: "joining" });
    await world.commit({ groupId: "simple", offset: 1 });
    return world;
  }

  test("lists all groups with state and type; a group that only stores offsets has no protocol type", async () => {
    const world = await threeGroups();
    expect(world.list().groups).toEqual([
      { groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "classic" },
      {
        groupId: "joining",
        protocolType: "consumer",
        groupState: "PreparingRebalance",
        groupType: "classic",
      },
      { groupId: "simple", protocolType: "", groupState: "Empty", groupType: "classic" },
    ]);
    for (const version of [0, 1, 2, 3, 4]) expect(world.list({}, { version }).groups).toHaveLength(3);
  });

  test("filters by state and by type, in any case", async () => {
    const world = await threeGroups();
    const ids = (input: object): string[] => world.list(input).groups.map((group) => group.groupId);
    expect(ids({ statesFilter: ["stable", "EMPTY"] })).toEqual(["g", "simple"]);
    expect(ids({ statesFilter: ["Dead"] })).toEqual([]);
    expect(ids({ typesFilter: ["classic"] })).toHaveLength(3);
    expect(ids({ typesFilter: ["consumer"] })).toEqual([]);
  });
});

describe("DeleteGroups (trap 49)", () => {
  test("deletes an empty group and all that it committed, durably", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    await world.commit({ offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    expect(await world.delete("g")).toBe(ErrorCode.nonEmptyGroup);
    await world.leave({ members: [{ memberId }] });
    expect(await world.delete("g")).toBe(ErrorCode.none);
    for (const seen of [world, await world.reread()]) {
      expect(seen.list().groups).toEqual([]);
      expect(seen.committed()).toBe(-1);
    }
  });

  test("a group that does not exist is not found", async () => {
    const world = await GroupWorld.start();
    expect(await world.delete("nowhere")).toBe(ErrorCode.groupIdNotFound);
  });

  test("a group that is being joined is not empty", async () => {
    const world = await GroupWorld.start();
    await world.joinNew();
    expect(await world.delete("g")).toBe(ErrorCode.nonEmptyGroup);
  });

  test("a deletion that the log refuses leaves the group as it was", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.failure = "unavailable";
    expect(await world.delete("g")).toBe(ErrorCode.coordinatorNotAvailable);
    expect(world.committed()).toBe(1);
  });

  test("a commit that was under way does not come back to life", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.isHolding = true;
    await world.commit({ offset: 2, partition: 1 });
    const deletion = world.delete("g");
    world.log.release();
    expect(await deletion).toBe(ErrorCode.none);
    for (const seen of [world, await world.reread()]) {
      expect(seen.list().groups).toEqual([]);
      expect(seen.committed("g", "orders", 1)).toBe(-1);
    }
  });

  test("a group of the same name that begins meanwhile is another group", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.isHolding = true;
    const deletion = world.delete("g");
    await world.commit({ offset: 7, partition: 1 });
    world.log.release();
    expect(await deletion).toBe(ErrorCode.none);
    for (const seen of [world, await world.reread()]) {
      expect([seen.committed(), seen.committed("g", "orders", 1)]).toEqual([-1, 7]);
    }
  });

  test("a deletion that fails late does not displace a group that took the name", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.isHolding = true;
    const deletion = world.delete("g");
    await world.join({}, { version: 3 });
    world.log.release("unavailable");
    expect(await deletion).toBe(ErrorCode.coordinatorNotAvailable);
    expect(world.describe("g")).toMatchObject({ groupState: "PreparingRebalance", members: [{}] });
  });

  test("a group with more offsets than one batch takes is deleted whole", async () => {
    const world = await GroupWorld.start();
    world.addTopic("wide", 1_200);
    for (let partition = 0; partition < 1_200; partition++) {
      const topics = [
        {
          name: "wide",
          topicId: "",
          partitions: [
            {
              partitionIndex: partition,
              committedOffset: 1,
              committedLeaderEpoch: -1,
              committedMetadata: "",
            },
          ],
        },
      ];
      await world.coordinator.commitOffsets(
        {
          groupId: "g",
          generationIdOrMemberEpoch: -1,
          memberId: "",
          groupInstanceId: null,
          retentionTimeMs: -1,
          topics,
        },
        { version: 7 },
      );
    }
    const before = world.log.appendCount;
    expect(await world.delete("g")).toBe(ErrorCode.none);
    expect(world.log.appendCount - before).toBe(3);
    expect((await world.restart()).list().groups).toEqual([]);
  });
});
