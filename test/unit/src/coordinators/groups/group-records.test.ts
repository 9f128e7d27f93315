import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { GroupMetadataValue } from "#protocol/messages/internal/group-metadata-record.ts";
import { OffsetCommitValue } from "#protocol/messages/internal/offset-commit-record.ts";
import { encodeVersioned } from "#protocol/schema/message.ts";
import { offsetCommitRecord, readGroupRecord } from "#src/coordinators/groups/group-records.ts";
import { GroupWorld, only } from "./group-world.ts";

const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString("hex");
const text = (value: string): string => Buffer.from(value).toString("hex");

const offset = { offset: 5, leaderEpoch: 2, metadata: "m", commitTimestampMs: 9, expireTimestampMs: null };
const at = { topic: "t", partition: 3 };

describe("records in Kafka's formats", () => {
  test("an offset is key 1 and value version 3", () => {
    const { key, value } = offsetCommitRecord("g", { ...at, committed: offset });
    expect(hex(key)).toBe(`0001${"0001"}${text("g")}${"0001"}${text("t")}${"00000003"}`);
    expect(hex(value)).toBe(
      `0003${"0000000000000005"}${"00000002"}${"0001"}${text("m")}${"0000000000000009"}`,
    );
  });

  test("an offset with an expiry of its own is value version 1", () => {
    const { value } = offsetCommitRecord("g", { ...at, committed: { ...offset, expireTimestampMs: 16 } });
    expect(hex(value)).toBe(
      `0001${"0000000000000005"}${"0001"}${text("m")}${"0000000000000009"}${"0000000000000010"}`,
    );
  });

  test("a stable generation is key 2 and value version 3, an empty one has no members", async () => {
    const world = await GroupWorld.start();
    const { memberId } = only(await world.stableGroup(1));
    await world.leave({ members: [{ memberId }] });
    const [stable, empty] = world.log.records.map(({ record }) => record);
    expect(hex(stable?.key)).toBe(`0002${"0001"}${text("g")}`);
    expect(hex(stable?.value)).toMatch(/^0003/);
    expect(stable && readGroupRecord(stable.key, stable.value)).toMatchObject({
      kind: "group",
      groupId: "g",
      metadata: { protocolType: "consumer", generation: 1, protocol: "range", leader: memberId },
    });
    expect(empty && readGroupRecord(empty.key, empty.value)).toMatchObject({
      metadata: { protocolType: "consumer", generation: 2, protocol: null, leader: null, members: [] },
    });
  });

  test.each([0, 1, 2, 3, 4])("offset values of version %i are read", (version) => {
    const value = encodeVersioned(
      OffsetCommitValue,
      { offset: 5, metadata: "m", commitTimestamp: 9 },
      version,
    );
    const { key } = offsetCommitRecord("g", { ...at, committed: offset });
    const fact = readGroupRecord(key, value);
    expect(fact).toEqual({ kind: "offset", groupId: "g", at, committed: { ...offset, leaderEpoch: -1 } });
  });

  test("offsets under the key of old logs are read", () => {
    const { key, value } = offsetCommitRecord("g", { ...at, committed: offset });
    const old = Buffer.from(key);
    old.writeInt16BE(0, 0);
    expect(readGroupRecord(old, value)).toEqual(readGroupRecord(key, value));
  });
});

describe("loading", () => {
  test("a group is after the load what it was before", async () => {
    const world = await GroupWorld.start();
    await world.stableGroup(3);
    await world.joinNew({ groupId: "static", groupInstanceId: "s" });
    await world.commit({ groupId: "simple", offset: 7, metadata: "m", leaderEpoch: 4 });
    await world.clock.advance(3_000);
    const member = only(world.describe("static").members);
    await world.sync({ groupId: "static", memberId: member.memberId, groupInstanceId: "s", generationId: 1 });

    const loaded = await world.reread();
    for (const groupId of ["g", "static", "simple"])
      expect(loaded.describe(groupId)).toEqual(world.describe(groupId));
    const names = (from: GroupWorld): string[] => from.list().groups.map((group) => group.groupId);
    expect(names(loaded).sort()).toEqual(names(world).sort());
    expect(loaded.committedPartition("simple")).toEqual(world.committedPartition("simple"));
  });

  test("members go on without noticing, and their sessions start anew", async () => {
    const before = await GroupWorld.start();
    const [leader, follower] = await before.stableGroup(2);
    await before.clock.advance(9_000);
    const world = await before.restart();
    await world.clock.advance(9_000);
    const beat = (memberId = ""): number => world.heartbeat({ memberId, generationId: 1 });
    expect(beat(leader?.memberId)).toBe(0);
    const again = await world.join({ memberId: follower?.memberId ?? "" });
    expect(again.answer).toMatchObject({ generationId: 1, leader: leader?.memberId });
    await world.clock.advance(10_000);
    expect(beat(leader?.memberId)).toBe(25);
  });

  test("a loaded member that never comes back is out after its session timeout", async () => {
    const before = await GroupWorld.start();
    await before.stableGroup(1);
    const world = await before.restart();
    await world.clock.advance(9_999);
    expect(world.describe("g").groupState).toBe("Stable");
    await world.clock.advance(1);
    expect(world.describe("g").groupState).toBe("Empty");
  });

  test("subscriptions of loaded members protect their offsets", async () => {
    const before = await GroupWorld.start();
    await before.stableGroup(1);
    const world = await before.restart();
    expect((await world.deleteOffsets("orders")).partition).toBe(86);
    expect((await world.deleteOffsets("events")).partition).toBe(0);
  });

  test("a generation that never became stable is forgotten: its members rejoin", async () => {
    const before = await GroupWorld.start();
    const { memberId } = only(await before.stableGroup(1));
    await before.join({ memberId });
    const world = await before.restart();
    expect(world.heartbeat({ memberId, generationId: 2 })).toBe(22);
    expect((await world.join({ memberId })).answer.generationId).toBe(2);
  });

  test("only records of the partition that is taken count", async () => {
    const before = await GroupWorld.start();
    await before.commit({ offset: 1 });
    for (const entry of before.log.records) entry.partition = 1;
    expect((await before.restart()).list().groups).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4])("group values of version %i are read", async (version) => {
    const world = new GroupWorld();
    const member = {
      memberId: "m",
      clientId: "c",
      clientHost: "/h",
      rebalanceTimeout: version >= 1 ? 9_000 : -1,
      sessionTimeout: 10_000,
      subscription: Buffer.alloc(0),
      assignment: Buffer.from("a"),
    };
    const value = encodeVersioned(
      GroupMetadataValue,
      { protocolType: "consumer", generation: 4, protocol: "range", leader: "m", members: [member] },
      version,
    );
    const key = Buffer.from(`0002${"0001"}${text("g")}`, "hex");
    world.log.records.push({ partition: 0, timestampMs: 0, record: { key, value } });
    await world.takeAll();
    expect(world.describe("g")).toMatchObject({ groupState: "Stable", members: [{ memberId: "m" }] });
    expect(world.heartbeat({ memberId: "m", generationId: 4 })).toBe(0);
  });

  test("records of group kinds that are not served here are passed over", async () => {
    const world = new GroupWorld();
    const key = Buffer.from(`0003${"0001"}${text("g")}`, "hex");
    world.log.records.push({
      partition: 0,
      timestampMs: 0,
      record: { key, value: Buffer.from("0000", "hex") },
    });
    await world.takeAll();
    expect(world.list()).toMatchObject({ errorCode: 0, groups: [] });
  });

  test("a record that cannot be read fails the load instead of losing it", async () => {
    const world = new GroupWorld();
    const key = Buffer.from(`0001${"0009"}`, "hex");
    world.log.records.push({ partition: 0, timestampMs: 0, record: { key, value: Buffer.alloc(0) } });
    await expect(world.takeAll()).rejects.toThrow();
    expect(world.fetch({ groupId: "g" }).errorCode).toBe(15);
  });
});
