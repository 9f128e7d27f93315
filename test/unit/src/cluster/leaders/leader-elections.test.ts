import { describe, expect, test } from "vitest";
import { OperationsWorld, otherThan } from "../operations-world.ts";

const limitMs = 10_000;

describe("a wish for a leader", () => {
  test("is granted wherever it is made, and whoever leads now", async () => {
    const world = await OperationsWorld.start();
    for (const asked of [1, 2, 3]) {
      const leader = await world.leaderOf(1);
      const nodeId = otherThan(leader);
      const elected = world.electionsOf(asked).elect([{ groupId: 1, nodeId }], limitMs);
      expect(await world.clock.until(elected)).toEqual(["elected"]);
      expect(await world.leaderOf(1)).toBe(nodeId);
    }
  });

  test("is not needed where the node leads already", async () => {
    const world = await OperationsWorld.start();
    const nodeId = await world.leaderOf(1);
    const elected = world.electionsOf(otherThan(nodeId)).elect([{ groupId: 1, nodeId }], limitMs);
    expect(await world.clock.until(elected)).toEqual(["notNeeded"]);
  });

  test("for a node that is gone is not granted, and nobody stops leading for it", async () => {
    const world = await OperationsWorld.start();
    const leader = await world.leaderOf(1);
    const gone = otherThan(leader);
    world.cluster.node(gone).crash();
    const elected = world.electionsOf(leader).elect([{ groupId: 1, nodeId: gone }], limitMs);
    expect(await world.clock.until(elected)).toEqual(["notAvailable"]);
    expect(await world.leaderOf(1)).toBe(leader);
    expect(world.cluster.node(leader).group(1).canPropose).toBe(true);
  });

  test("for a node that has no replica is not granted", async () => {
    const world = await OperationsWorld.start();
    const leader = await world.leaderOf(1);
    const elected = world.electionsOf(otherThan(leader)).elect([{ groupId: 1, nodeId: 9 }], limitMs);
    expect(await world.clock.until(elected)).toEqual(["notAvailable"]);
  });

  test("waits a while for a leader, and no longer", async () => {
    const world = await OperationsWorld.start();
    const leader = await world.leaderOf(1);
    const heir = otherThan(leader);
    world.cluster.node(leader).crash();
    world.cluster.node(otherThan(leader, heir)).crash();
    const elected = world.electionsOf(heir).elect([{ groupId: 1, nodeId: heir }], limitMs);
    expect(await world.clock.until(elected, 5_000)).toEqual(["notAvailable"]);
  });

  test("of many is granted for each in the order of the wishes", async () => {
    const world = await OperationsWorld.start(30);
    const nodeId = 2;
    const before = await Promise.all(world.cluster.groupIds.map((id) => world.leaderOf(id)));
    const wishes = world.cluster.groupIds.map((groupId) => ({ groupId, nodeId }));
    const outcomes = await world.clock.until(world.electionsOf(1).elect(wishes, limitMs));
    expect(outcomes).toEqual(before.map((leader) => (leader === nodeId ? "notNeeded" : "elected")));
    for (const id of world.cluster.groupIds) expect(await world.leaderOf(id)).toBe(nodeId);
  });

  test("is told once this node has heard of the new leader, where it is no replica", async () => {
    const world = await OperationsWorld.start();
    const leader = await world.leaderOf(1);
    const nodeId = otherThan(leader);
    const asked = otherThan(leader, nodeId);
    world.tellLeaders();
    world.cluster.node(asked).host.remove(1);
    const elected = world.electionsOf(asked).elect([{ groupId: 1, nodeId }], limitMs);
    const told = world.clock.until(elected).then((outcomes) => {
      expect(world.directories.get(asked)?.leaderOf(1)?.nodeId).toBe(nodeId);
      return outcomes;
    });
    world.clock.schedule(600, () => world.tellLeaders());
    expect(await told).toEqual(["elected"]);
  });
});
