import { describe, expect, test } from "vitest";
import { balanceCheckMs, LeaderBalance } from "#src/cluster/leaders/leader-balance.ts";
import type { MetadataImage } from "#src/cluster/metadata/metadata-image.ts";
import { imageOf, ledBy, OperationsWorld, otherThan } from "../operations-world.ts";

const intervalMs = 60_000;

/** Every node looks after its leaderships; what operators have set is the test's to say. */
class World {
  readonly operations: OperationsWorld;
  image: MetadataImage;
  /** Nodes that take no records. */
  readonly full = new Set<number>();
  readonly #balances: LeaderBalance[];

  static async start(
    image: MetadataImage,
    options: { intervalMs: number | undefined } = { intervalMs },
  ): Promise<World> {
    const operations = await OperationsWorld.start(image.topics.get("t")?.partitions.length ?? 0);
    return new World(operations, image, options);
  }

  private constructor(
    operations: OperationsWorld,
    image: MetadataImage,
    options: { intervalMs: number | undefined },
  ) {
    this.operations = operations;
    this.image = image;
    this.#balances = operations.cluster.nodes.map(
      (node) =>
        new LeaderBalance({
          ...options,
          nodeId: node.nodeId,
          host: node.host,
          ledPartitions: () => ledBy(node).map((id) => ({ topic: "t", index: id - 1, groupId: id })),
          image: () => this.image,
          isReachable: (nodeId) => operations.isUp(nodeId),
          isFull: (nodeId) => this.full.has(nodeId),
          clock: operations.clock,
        }),
    );
  }

  async pass(delayMs: number): Promise<void> {
    const { cluster, clock } = this.operations;
    const endMs = clock.monotonicMs() + delayMs;
    while (clock.monotonicMs() < endMs) {
      for (const [at, node] of cluster.nodes.entries()) if (node.isUp) this.#balances[at]?.check();
      await clock.advance(balanceCheckMs);
    }
    await cluster.elected();
  }

  leaders(): number[] {
    const { cluster } = this.operations;
    return cluster.groupIds.map((id) => cluster.leader(id)?.nodeId ?? -1);
  }
}

const spread = Array.from({ length: 6 }, (_, at) => [(at % 3) + 1, ((at + 1) % 3) + 1, ((at + 2) % 3) + 1]);
const preferred = spread.map(([first = -1]) => first);

describe("leadership", () => {
  test("leaves a node that takes no records, and comes back once it does", async () => {
    const shortMs = 5_000;
    const world = await World.start(imageOf(spread), { intervalMs: shortMs });
    await world.pass(shortMs + 5_000);
    world.full.add(2);
    await world.pass(2_000);
    expect(world.leaders()).not.toContain(2);
    // Nor is it tried again with every interval.
    const terms = () => world.operations.cluster.node(1).host.groups();
    const before = [...terms()].map(({ term }) => term);
    await world.pass(3 * shortMs);
    expect([...terms()].map(({ term }) => term)).toEqual(before);
    world.full.delete(2);
    await world.pass(shortMs + 5_000);
    expect(world.leaders()).toEqual(preferred);
  });

  test("goes to the first replicas when the interval has passed, not before", async () => {
    const world = await World.start(imageOf(spread));
    const before = world.leaders();
    expect(before).not.toEqual(preferred);
    await world.pass(intervalMs - 5_000);
    expect(world.leaders()).toEqual(before);
    await world.pass(10_000);
    expect(world.leaders()).toEqual(preferred);
  });

  test("stays where it is when nobody is to balance it", async () => {
    const world = await World.start(imageOf(spread), { intervalMs: undefined });
    const before = world.leaders();
    await world.pass(2 * intervalMs);
    expect(world.leaders()).toEqual(before);
  });

  test.each(["maintenance", "decommission"] as const)("leaves a node in %s", async (state) => {
    const world = await World.start(imageOf(spread));
    world.image = imageOf(spread, { 1: state });
    await world.pass(5_000);
    expect(world.leaders()).not.toContain(1);
    // Not even by a hand-back.
    await world.pass(2 * intervalMs);
    expect(world.leaders()).not.toContain(1);
  });

  test("comes back soon to a node that leaves maintenance", async () => {
    const world = await World.start(imageOf(spread, { 1: "maintenance" }), { intervalMs: 10 * intervalMs });
    await world.pass(5_000);
    expect(world.leaders()).not.toContain(1);
    world.image = imageOf(spread);
    await world.pass(5_000);
    expect(world.leaders()).toEqual(preferred);
  });

  test("that an election gives to a node in maintenance is given away again", async () => {
    const world = await World.start(imageOf([[1, 2, 3]]));
    const { cluster } = world.operations;
    const leader = await world.operations.leaderOf(1);
    const drained = otherThan(leader);
    world.image = imageOf([[1, 2, 3]], { [drained]: "maintenance" });
    cluster.node(drained).group(1).campaign();
    cluster.node(leader).crash();
    await world.pass(20_000);
    expect(world.leaders()).toEqual([otherThan(leader, drained)]);
  });

  test("goes to others than a node in maintenance, by the election already", async () => {
    const world = await World.start(imageOf(spread));
    const { cluster } = world.operations;
    const [leader = -1] = world.leaders();
    const reluctant = otherThan(leader);
    world.image = imageOf(spread, { [reluctant]: "maintenance" });
    await world.pass(2_000);
    const { electionsWon } = cluster.node(reluctant).host.counts;
    cluster.node(leader).crash();
    await world.pass(20_000);
    expect(new Set(world.leaders())).toEqual(new Set([otherThan(leader, reluctant)]));
    expect(cluster.node(reluctant).host.counts.electionsWon).toBe(electionsWon);
  });

  test("stays with a node in maintenance where nobody else is there to lead", async () => {
    const world = await World.start(
      imageOf([[1, 2, 3]], { 1: "maintenance", 2: "maintenance", 3: "maintenance" }),
    );
    const before = world.leaders();
    await world.pass(5_000);
    expect(world.leaders()).toEqual(before);
    const group = world.operations.cluster.node(before[0] ?? -1).group(1);
    expect(group.canPropose).toBe(true);
  });
});
