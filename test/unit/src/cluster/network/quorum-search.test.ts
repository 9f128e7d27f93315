import pino from "pino";
import { describe, expect, test } from "vitest";
import type { NodeCard } from "#src/cluster/network/node-card.ts";
import { type NodeAnswer, QuorumSearch } from "#src/cluster/network/quorum-search.ts";
import type { HostPort } from "#src/config/host-port.ts";
import type { QuorumVoter } from "#src/config/quorum.ts";

const logger = pino({ level: "silent" });

/** Nodes that search at one time and ask each other; time passes when all wait. */
class World {
  readonly clusterIds = new Map<number, string>();
  readonly known = new Map<number, readonly QuorumVoter[]>();
  readonly down = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  #nowMs = 0;
  isClosed = false;

  /** Node `n` listens at port `n`, and at port `100 + n`, too. */
  async ask({ port }: HostPort): Promise<NodeAnswer> {
    const nodeId = port % 100;
    if (this.down.has(nodeId)) throw new Error(`nobody at ${port}`);
    const card: NodeCard = {
      ...{ host: "h", port: nodeId, generation: 1, isVoter: false },
      isController: nodeId < 50,
      voters: this.known.get(nodeId) ?? [],
    };
    return { nodeId, processId: `process ${nodeId}`, clusterId: this.clusterIds.get(nodeId) ?? "", card };
  }

  search(nodeId: number, ports: readonly number[], remembered: readonly QuorumVoter[] = []): QuorumSearch {
    if (remembered.length > 0) this.known.set(nodeId, remembered);
    return new QuorumSearch({
      nodeId,
      processId: `process ${nodeId}`,
      roles: { isBroker: nodeId !== 7, isController: nodeId < 50 },
      servers: ports.map((port) => ({ host: "h", port })),
      ask: (server) => this.ask(server),
      remembered,
      remember: async (voters) => void this.known.set(nodeId, voters),
      isClosed: () => this.isClosed,
      clock: {
        monotonicMs: () => this.#nowMs,
        schedule: (_, callback) => {
          this.#waiting.push(callback);
          return () => undefined;
        },
      },
      logger,
    });
  }

  async pass(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      this.#nowMs += 200;
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}

const ids = (voters: readonly QuorumVoter[]) => voters.map(({ nodeId }) => nodeId);

/** What became of a search by now. */
function watch(search: QuorumSearch): { found: readonly number[] | string | undefined } {
  const watched: { found: readonly number[] | string | undefined } = { found: undefined };
  search.find().then(
    (voters) => {
      watched.found = ids(voters);
    },
    (error: unknown) => {
      watched.found = String(error);
    },
  );
  return watched;
}

describe("named controllers", () => {
  test("found a cluster together once all of them are there", async () => {
    const world = new World();
    world.down.add(3);
    const [one, two] = [watch(world.search(1, [1, 2, 3])), watch(world.search(2, [3, 2, 1]))];
    await world.pass(5);
    expect([one.found, two.found]).toEqual([undefined, undefined]);
    expect(world.known.size).toBe(0);
    world.down.delete(3);
    const three = watch(world.search(3, [1, 2, 3]));
    await world.pass(5);
    expect([one, two, three].map(({ found }) => found)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("found none where they were given different lists", async () => {
    const world = new World();
    const searches = [world.search(1, [1, 2]), world.search(2, [2, 3]), world.search(3, [1, 2, 3])].map(
      watch,
    );
    await world.pass(50);
    expect(searches.map(({ found }) => found)).toEqual([undefined, undefined, undefined]);
  });

  test("are one node where two of the addresses are", async () => {
    const world = new World();
    const searches = [world.search(1, [101, 1, 2]), world.search(2, [1, 2, 102])].map(watch);
    await world.pass(5);
    expect(searches.map(({ found }) => found)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("go on with what they had agreed to before a crash, and only with that", async () => {
    const world = new World();
    const remembered = [1, 2].map((nodeId) => ({ nodeId, host: "h", port: nodeId }));
    const [one, two] = [watch(world.search(1, [1, 2], remembered)), watch(world.search(2, [1, 2]))];
    await world.pass(5);
    expect([one.found, two.found]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const other = watch(world.search(1, [1, 3], remembered));
    world.search(3, [1, 3]);
    await world.pass(5);
    expect(other.found).toMatch("they are nodes 1, 3, and this node has agreed to nodes 1, 2 before");
  });

  test("must be controllers", async () => {
    const world = new World();
    const one = watch(world.search(1, [1, 60]));
    await world.pass(3);
    expect(one.found).toMatch("node 60 at h:60 has not the role of a controller");
  });
});

describe("a node that comes to a cluster", () => {
  const voters = [1, 2, 3].map((nodeId) => ({ nodeId, host: "h", port: nodeId }));

  function running(): World {
    const world = new World();
    for (const { nodeId } of voters) {
      world.known.set(nodeId, voters);
      world.clusterIds.set(nodeId, "cluster");
    }
    return world;
  }

  test("takes its voters from any that answers", async () => {
    const world = running();
    world.down.add(1).add(3);
    const four = watch(world.search(4, [1, 2, 3]));
    await world.pass(1);
    expect(four.found).toEqual([1, 2, 3]);
  });

  test("waits until it is founded", async () => {
    const world = running();
    world.clusterIds.clear();
    const four = watch(world.search(4, [1, 2, 3]));
    await world.pass(5);
    expect(four.found).toBeUndefined();
    world.clusterIds.set(2, "cluster");
    await world.pass(2);
    expect(four.found).toEqual([1, 2, 3]);
  });

  test("is told where it would have nothing to do", async () => {
    const seven = running().search(7, [1, 2, 3]);
    await expect(seven.find()).rejects.toThrow("node 7 is none of them");
  });

  test("gives up when it is to stop", async () => {
    const world = new World();
    world.down.add(1);
    const four = watch(world.search(4, [1]));
    world.isClosed = true;
    await world.pass(2);
    expect(four.found).toMatch("the broker is stopping");
  });
});
