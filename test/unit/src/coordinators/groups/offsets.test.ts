import { describe, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { GroupWorld, only } from "./group-world.ts";

describe("OffsetCommit and OffsetFetch", () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10])("an offset committed in version %i is fetched", async (version) => {
    const world = await GroupWorld.start();
    expect(await world.commitError({ offset: 42, metadata: "m" }, { version })).toBe(ErrorCode.none);
    expect(world.committedPartition()).toMatchObject({ committedOffset: 42, metadata: "m", errorCode: 0 });
  });

  test("offset, metadata and leader epoch come back as they were (trap 46)", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 2 ** 53 - 1, metadata: "über 漢", leaderEpoch: 7, partition: 3 });
    expect(world.committedPartition("g", "orders", 3)).toEqual({
      partitionIndex: 3,
      committedOffset: 2 ** 53 - 1,
      committedLeaderEpoch: 7,
      metadata: "über 漢",
      errorCode: 0,
    });
  });

  test("what was never committed is -1 and no error, in groups that exist and others (trap 47)", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: "", errorCode: 0 };
    expect(world.committedPartition("g", "orders", 1)).toMatchObject(nothing);
    expect(world.committedPartition("nowhere", "orders", 0)).toMatchObject(nothing);
    expect(world.committedPartition("g", "no-such-topic", 0)).toMatchObject(nothing);
  });

  test("an offset is visible only once it is durable", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.isHolding = true;
    const commit = await world.commit({ offset: 2 });
    expect(commit.isAnswered).toBe(false);
    expect(world.committed()).toBe(1);
    world.log.release();
    await world.clock.advance(0);
    expect(only(only(commit.answer.topics).partitions).errorCode).toBe(ErrorCode.none);
    expect(world.committed()).toBe(2);
  });

  test.each([
    ["notLeader", ErrorCode.notCoordinator],
    ["unavailable", ErrorCode.coordinatorNotAvailable],
    ["tooLarge", ErrorCode.invalidCommitOffsetSize],
  ] as const)("a commit that the log refuses as %s leaves the old offset", async (failure, errorCode) => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.failure = failure;
    expect(await world.commitError({ offset: 2 })).toBe(errorCode);
    expect(await world.commitError({ groupId: "new", offset: 2 })).toBe(errorCode);
    expect(world.committed()).toBe(1);
    expect(world.list().groups.map((group) => group.groupId)).toEqual(["g"]);
  });

  test("metadata above offset.metadata.max.bytes is refused, the rest of the request is not (trap 46)", async () => {
    const world = await GroupWorld.start();
    expect(await world.commitError({ offset: 1, metadata: "x".repeat(4096) })).toBe(ErrorCode.none);
    expect(await world.commitError({ offset: 2, metadata: "x".repeat(4097) })).toBe(
      ErrorCode.offsetMetadataTooLarge,
    );
    expect(await world.commitError({ offset: 3, metadata: null })).toBe(ErrorCode.none);
    expect(world.committedPartition()).toMatchObject({ committedOffset: 3, metadata: "" });
  });

  test("metadata that no record can hold is refused whatever the limit is set to", async () => {
    const world = await GroupWorld.start({ config: { offsetMetadataBytesMax: 2 ** 31 - 1 } });
    const partition = {
      partitionIndex: 0,
      committedOffset: 1,
      committedLeaderEpoch: -1,
      // What 32,767 bytes become that are no UTF-8.
      committedMetadata: Buffer.alloc(2 ** 15 - 1, 0xff).toString(),
    };
    const answer = await world.coordinator.commitOffsets(
      {
        groupId: "g",
        generationIdOrMemberEpoch: -1,
        memberId: "",
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: "orders", topicId: "", partitions: [partition] }],
      },
      { version: 8 },
    );
    expect(only(only(answer.topics).partitions).errorCode).toBe(ErrorCode.offsetMetadataTooLarge);
  });

  test("unknown topics and partitions are refused (trap 46)", async () => {
    const world = await GroupWorld.start();
    expect(await world.commitError({ topic: "nope", offset: 1 })).toBe(ErrorCode.unknownTopicOrPartition);
    expect(await world.commitError({ partition: 4, offset: 1 })).toBe(ErrorCode.unknownTopicOrPartition);
    expect(await world.commitError({ partition: -1, offset: 1 })).toBe(ErrorCode.unknownTopicOrPartition);
    expect(await world.commitError({ topic: "nope", offset: 1 }, { version: 10 })).toBe(
      ErrorCode.unknownTopicId,
    );
    expect(world.log.appendCount).toBe(0);
    expect(world.list().groups).toEqual([]);
  });

  test("the empty group id stores offsets, as consumers of old do", async () => {
    const world = await GroupWorld.start();
    expect(await world.commitError({ groupId: "", offset: 5 })).toBe(ErrorCode.none);
    expect(world.committed("")).toBe(5);
  });
});

describe("who may commit (trap 46)", () => {
  test("a member, in its generation", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    const commit = (generationIdOrMemberEpoch: number, by = memberId): Promise<number> =>
      world.commitError({ offset: 1, memberId: by, generationIdOrMemberEpoch });
    expect(await commit(1)).toBe(ErrorCode.none);
    expect(await commit(0)).toBe(ErrorCode.illegalGeneration);
    expect(await commit(-1)).toBe(ErrorCode.illegalGeneration);
    expect(await commit(1, "ghost")).toBe(ErrorCode.unknownMemberId);
  });

  test("nobody without membership while there are members, anybody once there are none", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    expect(await world.commitError({ offset: 1 })).toBe(ErrorCode.unknownMemberId);
    await world.leave({ members: [{ memberId }] });
    expect(await world.commitError({ offset: 1 })).toBe(ErrorCode.none);
  });

  test("a member while a rebalance is prepared, but not between join and sync", async () => {
    const world = await GroupWorld.start();
    const [leader, follower] = await world.stableGroup(2);
    const commit = (generationIdOrMemberEpoch: number): Promise<number> =>
      world.commitError({ offset: 1, memberId: follower?.memberId ?? "", generationIdOrMemberEpoch });
    await world.join({ memberId: leader?.memberId ?? "" });
    expect(await commit(1)).toBe(ErrorCode.none);
    await world.join({ memberId: follower?.memberId ?? "" });
    expect(await commit(2)).toBe(ErrorCode.rebalanceInProgress);
  });

  test("nobody in a generation of a group that does not exist", async () => {
    const world = await GroupWorld.start();
    const input = { offset: 1, memberId: "m", generationIdOrMemberEpoch: 3 };
    expect(await world.commitError(input, { version: 8 })).toBe(ErrorCode.illegalGeneration);
    expect(await world.commitError(input, { version: 9 })).toBe(ErrorCode.groupIdNotFound);
  });

  test("a commit keeps its member's session", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    await world.clock.advance(9_000);
    await world.commit({ offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    await world.clock.advance(9_000);
    expect(world.heartbeat({ memberId, generationId: 1 })).toBe(ErrorCode.none);
  });
});

describe("shapes of OffsetFetch (trap 47)", () => {
  test.each([2, 5, 7])("version %i: null asks for all topics", async (version) => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    await world.commit({ offset: 2, partition: 2 });
    await world.commit({ offset: 3, topic: "events" });
    const { topics } = world.fetch({ groupId: "g", topics: null }, { version });
    expect(topics.map((topic) => [topic.name, topic.partitions.map((each) => each.committedOffset)])).toEqual(
      [
        ["orders", [1, 2]],
        ["events", [3]],
      ],
    );
    expect(world.fetch({ groupId: "nowhere", topics: null }, { version })).toMatchObject({
      errorCode: 0,
      topics: [],
    });
  });

  test.each([8, 9])("version %i asks several groups, each with its own error", async (version) => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    await world.commit({ groupId: "h", offset: 2 });
    const topics = [{ name: "orders", partitionIndexes: [0, 1] }];
    const answer = world.fetch(
      {
        groups: [
          { groupId: "g", topics },
          { groupId: "h", topics: null },
          { groupId: "i", topics },
        ],
      },
      { version },
    );
    expect(answer.groups.map((group) => [group.groupId, group.errorCode])).toEqual([
      ["g", 0],
      ["h", 0],
      ["i", 0],
    ]);
    const offsets = answer.groups.map((group) =>
      only(group.topics).partitions.map((each) => each.committedOffset),
    );
    expect(offsets).toEqual([[1, -1], [2], [-1, -1]]);
  });

  test("version 10 names topics by id", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    const unknown = "____________________AA".slice(0, 22);
    const topics = [
      { topicId: world.topicId("orders"), partitionIndexes: [0] },
      { topicId: unknown, partitionIndexes: [0] },
    ];
    const version = 10;
    const named = world.fetch({ groups: [{ groupId: "g", topics }] }, { version });
    expect(only(named.groups).topics.map((topic) => topic.partitions[0])).toMatchObject([
      { committedOffset: 1, errorCode: 0 },
      { committedOffset: -1, errorCode: ErrorCode.unknownTopicId },
    ]);
    const all = world.fetch({ groups: [{ groupId: "g", topics: null }] }, { version });
    expect(only(all.groups).topics).toMatchObject([{ topicId: world.topicId("orders") }]);
  });

  test("version 10 cannot name a topic that is gone, and leaves it out", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    await world.commit({ offset: 2, topic: "events" });
    world.topics.delete("orders");
    const all = world.fetch({ groups: [{ groupId: "g", topics: null }] }, { version: 10 });
    expect(only(all.groups).topics.map((topic) => topic.topicId)).toEqual([world.topicId("events")]);
  });

  test("version 1 has an error in each partition instead of one for the group", () => {
    const world = new GroupWorld();
    const topics = [{ name: "orders", partitionIndexes: [0, 1] }];
    const answer = world.fetch({ groupId: "g", topics }, { version: 1 });
    expect(only(answer.topics).partitions.map((each) => each.errorCode)).toEqual([16, 16]);
  });
});

describe("OffsetDelete (KIP-496)", () => {
  test("deletes durably what an empty group committed", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    await world.commit({ offset: 2, topic: "events" });
    expect(await world.deleteOffsets("orders")).toEqual({ errorCode: 0, partition: 0 });
    expect(world.committed()).toBe(-1);
    const restarted = await world.restart();
    expect([restarted.committed(), restarted.committed("g", "events")]).toEqual([-1, 2]);
  });

  test("spares topics that the members subscribe to", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    for (const topic of ["orders", "events"]) {
      await world.commit({ topic, offset: 1, memberId, generationIdOrMemberEpoch: 1 });
    }
    expect(await world.deleteOffsets("orders")).toEqual({
      errorCode: 0,
      partition: ErrorCode.groupSubscribedToTopic,
    });
    expect(await world.deleteOffsets("events")).toEqual({ errorCode: 0, partition: 0 });
    expect([world.committed(), world.committed("g", "events")]).toEqual([1, -1]);
  });

  test("with metadata that is no subscription, every topic counts as in use", async () => {
    const world = await GroupWorld.start();
    await world.stableGroup(1, { protocols: [{ name: "own", metadata: Buffer.from([1]) }] });
    expect((await world.deleteOffsets("events")).partition).toBe(ErrorCode.groupSubscribedToTopic);
  });

  test("refuses groups of other protocol types while they have members, and unknown names", async () => {
    const world = await GroupWorld.start();
    await world.stableGroup(1, { protocolType: "connect" });
    expect((await world.deleteOffsets("orders")).errorCode).toBe(ErrorCode.nonEmptyGroup);
    expect((await world.deleteOffsets("orders", 0, "nowhere")).errorCode).toBe(ErrorCode.groupIdNotFound);
    expect((await world.deleteOffsets("orders", 0, "")).errorCode).toBe(ErrorCode.invalidGroupId);
    await world.commit({ groupId: "h", offset: 1 });
    expect((await world.deleteOffsets("nope", 0, "h")).partition).toBe(ErrorCode.unknownTopicOrPartition);
    expect((await world.deleteOffsets("orders", 9, "h")).partition).toBe(ErrorCode.unknownTopicOrPartition);
  });

  test("an offset that is committed while the deletion is under way stays", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    world.log.isHolding = true;
    const deletion = world.deleteOffsets("orders");
    await world.commit({ offset: 2 });
    world.log.release();
    await deletion;
    expect(world.committed()).toBe(2);
    expect((await world.restart()).committed()).toBe(2);
  });
});

describe("topics that are deleted", () => {
  test("take all groups' offsets with them, also those still on their way to the log", async () => {
    const world = await GroupWorld.start();
    await world.commit({ offset: 1 });
    await world.commit({ groupId: "h", offset: 2, topic: "events" });
    world.log.isHolding = true;
    await world.commit({ offset: 9, partition: 1 });
    const forgotten = world.coordinator.forgetTopics(["orders"]);
    world.log.release();
    await forgotten;
    for (const seen of [world, await world.reread()]) {
      expect([seen.committed(), seen.committed("g", "orders", 1), seen.committed("h", "events")]).toEqual([
        -1, -1, 2,
      ]);
    }
  });
});
