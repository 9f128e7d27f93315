import { describe, expect, test } from "vitest";
import { QuorumWatch, quorumLookMs } from "#src/cluster/membership/quorum-watch.ts";
import { proposeByte } from "../../../raft/host/host-cluster.ts";
import { OperationsWorld, otherThan } from "../operations-world.ts";

class World {
  readonly operations: OperationsWorld;
  readonly #watches: readonly QuorumWatch[];

  static async start(): Promise<World> {
    return new World(await OperationsWorld.start());
  }

  private constructor(operations: OperationsWorld) {
    this.operations = operations;
    this.#watches = operations.cluster.nodes.map(
      ({ nodeId, host }) =>
        new QuorumWatch({
          nodeId,
          group: () => host.group(1),
          calls: operations.calls.get(nodeId),
          isReachable: (other) => operations.isUp(other),
          clock: operations.clock,
        }),
    );
  }

  async pass(delayMs: number): Promise<void> {
    const { clock } = this.operations;
    const endMs = clock.monotonicMs() + delayMs;
    while (clock.monotonicMs() < endMs) {
      for (const watch of this.#watches) watch.look();
      await clock.advance(quorumLookMs);
    }
  }

  describe(nodeId: number) {
    const described = this.#watches[nodeId - 1]?.describe(10_000);
    return this.operations.clock.until(described ?? Promise.resolve(undefined));
  }
}

describe("the metadata quorum", () => {
  test("is described alike by every node", async () => {
    const world = await World.start();
    const leader = await world.operations.leaderOf(1);
    const group = world.operations.cluster.node(leader).group(1);
    proposeByte(group, 1);
    await world.pass(2_000);
    const nowMs = world.operations.clock.nowMs();
    for (const asked of [1, 2, 3]) {
      const state = await world.describe(asked);
      expect(state).toMatchObject({
        leaderId: leader,
        leaderEpoch: group.term,
        highWatermark: group.commitIndex,
        observers: [],
      });
      expect(state?.voters.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
      for (const voter of state?.voters ?? []) {
        expect(voter.logEndOffset).toBe(group.lastIndex);
        expect(voter.lastHeardMs).toBeGreaterThanOrEqual(nowMs - 2 * quorumLookMs);
        expect(voter.lastCaughtUpMs).toBeGreaterThanOrEqual(nowMs - 2 * quorumLookMs);
      }
    }
  });

  test("shows since when a node is gone, and how far it had come", async () => {
    const world = await World.start();
    const leader = await world.operations.leaderOf(1);
    const gone = otherThan(leader);
    const group = world.operations.cluster.node(leader).group(1);
    await world.pass(2_000);
    const had = group.lastIndex;
    const goneMs = world.operations.clock.nowMs();
    world.operations.cluster.node(gone).crash();
    proposeByte(group, 1);
    await world.pass(10_000);
    const voter = (await world.describe(leader))?.voters.find(({ nodeId }) => nodeId === gone);
    expect(voter?.logEndOffset).toBe(had);
    expect(voter?.lastHeardMs).toBeLessThanOrEqual(goneMs);
    expect(voter?.lastHeardMs).toBeGreaterThan(goneMs - 2 * quorumLookMs);
    expect(voter?.lastCaughtUpMs).toBeLessThanOrEqual(goneMs);
  });

  test("is not described where nobody leads it", async () => {
    const world = await World.start();
    const leader = await world.operations.leaderOf(1);
    const left = otherThan(leader);
    for (const nodeId of [1, 2, 3]) if (nodeId !== left) world.operations.cluster.node(nodeId).crash();
    await world.pass(5_000);
    expect(await world.describe(left)).toBeUndefined();
  });
});
