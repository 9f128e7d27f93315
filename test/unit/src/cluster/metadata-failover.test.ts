import { strict as assert } from "node:assert";
import { describe, expect, test } from "vitest";
import {
  decodeCommand,
  encodeCommand,
  stampCommand,
  stampOf,
} from "#src/cluster/metadata/metadata-command.ts";
import { ClusterWorld, type WorldNode } from "../cluster-world.ts";

/** The node that leads the metadata group, and one that does not. */
function controllerAnd(world: ClusterWorld): { controller: WorldNode; other: WorldNode } {
  const [first] = world.nodes;
  assert(first);
  const controller = world.node(first.broker.controllerId);
  const other = world.nodes.find((node) => node !== controller);
  assert(other);
  return { controller, other };
}

const createTopic = {
  kind: "createTopic",
  name: "t",
  topicId: "AAAAAAAAAAAAAAAAAAAAAQ",
  partitions: [[1, 2, 3]],
  configs: {},
} as const;
const allocation = { kind: "allocateProducerIds", nodeId: 9, count: 1_000 } as const;

describe("a command that was sent to a controller", () => {
  test("which stands still is done by the next one, as soon as there is one", async () => {
    await using world = await ClusterWorld.start();
    const { controller, other } = controllerAnd(world);
    world.pause(controller.nodeId);
    const startedMs = world.clock.monotonicMs();
    const result = await world.clock.until(other.broker.metadata.propose(createTopic));
    expect(result).toEqual({ kind: "done" });
    expect(world.clock.monotonicMs() - startedMs).toBeLessThan(5_000);
  });

  test("which is cut off is done by the next one", async () => {
    await using world = await ClusterWorld.start();
    const { controller, other } = controllerAnd(world);
    world.cut(controller.nodeId);
    const result = await world.clock.until(other.broker.metadata.propose(createTopic));
    expect(result).toEqual({ kind: "done" });
  });

  test("which dies is done by the next one, and by nobody twice, whenever that happens", async () => {
    for (const afterMs of [0, 1, 2, 4, 10]) {
      await using world = await ClusterWorld.start();
      const { controller, other } = controllerAnd(world);
      const { nextProducerId } = other.broker.metadata.image;
      const proposed = other.broker.metadata.propose(allocation);
      await world.clock.advance(afterMs);
      world.kill(controller.nodeId);
      expect(await world.clock.until(proposed), `after ${afterMs} ms`).toMatchObject({
        kind: "producerIds",
        first: nextProducerId,
      });
      await world.clock.advance(5_000);
      expect(other.broker.metadata.image.nextProducerId).toBe(nextProducerId + allocation.count);
    }
  });

  test("is not done a second time when that one goes on, and has it still before it", async () => {
    await using world = await ClusterWorld.start();
    const { controller, other } = controllerAnd(world);
    const { nextProducerId } = other.broker.metadata.image;
    world.pause(controller.nodeId);
    const result = await world.clock.until(other.broker.metadata.propose(allocation));
    expect(result).toMatchObject({ kind: "producerIds", first: nextProducerId });
    world.resume(controller.nodeId);
    await world.clock.advance(10_000);
    expect(other.broker.metadata.image.nextProducerId).toBe(nextProducerId + allocation.count);
  });
});

test("a command of a controller that is cut off itself is done once it is back", async () => {
  await using world = await ClusterWorld.start();
  const { controller } = controllerAnd(world);
  const { nextProducerId } = controller.broker.metadata.image;
  world.cut(controller.nodeId);
  const proposed = controller.broker.metadata.propose(allocation);
  await world.clock.advance(8_000);
  world.cut(controller.nodeId, false);
  expect(await world.clock.until(proposed)).toMatchObject({ kind: "producerIds", first: nextProducerId });
  await world.clock.advance(5_000);
  expect(controller.broker.metadata.image.nextProducerId).toBe(nextProducerId + allocation.count);
});

test("a command is taken in the term that it is for, and in no other", async () => {
  await using world = await ClusterWorld.start();
  const { controller } = controllerAnd(world);
  const { broker } = controller;
  const stamped = (term: number) => stampCommand(encodeCommand(createTopic), { proposal: "p", term });
  const term = broker.metadata.snapshot().term;
  expect(broker.metadata.proposeHere(stamped(term - 1))).toBeUndefined();
  expect(broker.metadata.proposeHere(stamped(term + 1))).toBeUndefined();
  const proposed = broker.metadata.proposeHere(stamped(term));
  expect(await world.clock.until(proposed ?? Promise.reject(new Error("not taken")))).toMatchObject({
    kind: "applied",
    result: { kind: "done" },
  });
});

test("a stamped command is the same command", () => {
  const stamp = { proposal: "p/7", term: 2 ** 40 };
  const stamped = stampCommand(encodeCommand(createTopic), stamp);
  expect(decodeCommand(stamped)).toEqual(createTopic);
  expect(stampOf(stamped)).toEqual(stamp);
  expect(stampOf(encodeCommand(createTopic))).toBeUndefined();
});
