import { describe, expect, test } from "vitest";
import type { ChunkFrame } from "#raft/transport/node-frame.ts";
import { MetadataForwarder } from "#src/cluster/membership/metadata-forwarder.ts";
import type { CommandResult } from "#src/cluster/metadata/apply-command.ts";
import { encodeCommand, stampOf } from "#src/cluster/metadata/metadata-command.ts";
import type { ProposalOutcome } from "#src/cluster/metadata/metadata-store.ts";
import { NodeCalls } from "#src/cluster/network/node-calls.ts";
import { FakeClock } from "../../runtime/fake-clock.ts";

const command = encodeCommand({ kind: "nameCluster", clusterId: "c" });
const applied: ProposalOutcome = { kind: "applied", index: 7, result: { kind: "done" } };

/** Nodes 1 to 3 with forwarders; which of them lead, and what they propose, is the test's to say. */
class World {
  readonly clock = new FakeClock();
  readonly proposed: number[] = [];
  readonly awaited: [node: number, index: number][] = [];
  readonly calls = new Map<number, NodeCalls>();
  readonly forwarders = new Map<number, MetadataForwarder>();
  /** Who each node takes for the leader. */
  readonly believed = new Map<number, number>();
  readonly cut = new Set<number>();
  leader = 2;
  term = 5;
  /** Whether somebody can say what is committed. */
  canCatchUp = true;
  catchUp = () => (this.canCatchUp ? Promise.resolve() : Promise.reject(new Error("nobody leads")));
  /** What is looked for among what is applied, by node. */
  readonly watched = new Map<number, (result: CommandResult) => void>();
  /** Stamps of what was proposed. */
  readonly stamps: unknown[] = [];
  outcome: () => Promise<ProposalOutcome> = () => Promise.resolve(applied);

  constructor() {
    for (const nodeId of [1, 2, 3]) this.#add(nodeId);
  }

  propose(nodeId: number) {
    const forwarder = this.forwarders.get(nodeId);
    return this.clock.until(forwarder?.propose(command) ?? Promise.reject(new Error("no such node")));
  }

  #add(nodeId: number): void {
    const calls = new NodeCalls({
      send: (to, frame: ChunkFrame) => {
        if (this.cut.has(to)) return false;
        this.clock.soon(() => this.calls.get(to)?.take(nodeId, frame));
        return true;
      },
      clock: this.clock,
      onError: (error) => {
        throw error;
      },
    });
    this.calls.set(nodeId, calls);
    const forwarder = new MetadataForwarder({
      nodeId,
      processId: `run-of-${nodeId}`,
      calls,
      clock: this.clock,
      term: () => this.term,
      catchUp: () => this.catchUp(),
      watch: () => new Promise((resolve) => this.watched.set(nodeId, resolve)),
      forget: () => this.watched.delete(nodeId),
      leaderNodeId: () => this.believed.get(nodeId) ?? this.leader,
      proposeHere: (payload) => {
        if (this.leader !== nodeId) return undefined;
        this.stamps.push(stampOf(payload));
        this.proposed.push(nodeId);
        return this.outcome();
      },
      whenApplied: async (index) => {
        this.awaited.push([nodeId, index]);
      },
    });
    this.forwarders.set(nodeId, forwarder);
  }
}

/** Proposes on a node that stops a second later. */
async function expectIndefiniteAtStop(world: World, nodeId: number): Promise<void> {
  world.clock.schedule(1_000, () => world.forwarders.get(nodeId)?.close());
  expect(await world.propose(nodeId)).toEqual({ kind: "indefinite" });
  expect(world.clock.monotonicMs()).toBe(1_000);
  expect(world.clock.timerCount).toBe(0);
}

describe("a command", () => {
  test("is proposed where it was given when that node leads", async () => {
    const world = new World();
    expect(await world.propose(2)).toEqual({ kind: "done" });
    expect(world.proposed).toEqual([2]);
  });

  test("is brought to the leader, and answered once it is applied where it was given", async () => {
    const world = new World();
    expect(await world.propose(1)).toEqual({ kind: "done" });
    expect(world.proposed).toEqual([2]);
    expect(world.awaited).toEqual([[1, 7]]);
  });

  test("is brought to another node when the first does not lead any more", async () => {
    const world = new World();
    world.believed.set(1, 3);
    world.clock.schedule(200, () => world.believed.set(1, 2));
    expect(await world.propose(1)).toEqual({ kind: "done" });
    expect(world.proposed).toEqual([2]);
  });

  test("is for one term, and called the same however often it is brought", async () => {
    const world = new World();
    world.outcome = () => {
      world.outcome = () => Promise.resolve(applied);
      world.term = 6;
      return Promise.resolve({ kind: "indefinite" });
    };
    await world.propose(1);
    await world.propose(1);
    expect(world.stamps).toEqual([
      { proposal: "run-of-1/1", term: 5 },
      { proposal: "run-of-1/1", term: 6 },
      { proposal: "run-of-1/2", term: 6 },
    ]);
    expect(world.watched.size).toBe(0);
  });

  test("whose fate the leader does not know is not proposed again while that leads", async () => {
    const world = new World();
    world.outcome = () => Promise.resolve({ kind: "indefinite" });
    expect(await world.propose(1)).toEqual({ kind: "indefinite" });
    expect(world.proposed).toEqual([2]);
  });

  test("whose fate is not known when the node stops is indefinite at once, and nothing goes on", async () => {
    const world = new World();
    world.canCatchUp = false;
    world.outcome = () => Promise.resolve({ kind: "indefinite" });
    await expectIndefiniteAtStop(world, 1);
  });

  test("that is not answered when the node stops is indefinite at once, too", async () => {
    const world = new World();
    world.outcome = () => new Promise(() => undefined);
    await expectIndefiniteAtStop(world, 2);
  });

  test("of whose leader's successor nobody has told all when the node stops is indefinite at once, as well", async () => {
    const world = new World();
    world.catchUp = () => new Promise(() => undefined);
    world.outcome = () => Promise.resolve({ kind: "indefinite" });
    world.clock.schedule(500, () => {
      world.term = 6;
    });
    await expectIndefiniteAtStop(world, 2);
  });

  test("whose answer is lost is indefinite, too", async () => {
    const world = new World();
    world.outcome = () => new Promise(() => undefined);
    world.clock.schedule(1_000, () => world.calls.get(1)?.lost(2));
    expect(await world.propose(1)).toEqual({ kind: "indefinite" });
    expect(world.proposed).toEqual([2]);
  });

  test("is brought to the next leader when the first says nothing, once it is known to be lost", async () => {
    const world = new World();
    world.canCatchUp = false;
    world.outcome = () => new Promise(() => undefined);
    world.clock.schedule(1_000, () => {
      world.leader = 3;
      world.term = 6;
      world.outcome = () => Promise.resolve(applied);
    });
    world.clock.schedule(2_000, () => {
      expect(world.proposed).toEqual([2]);
      world.canCatchUp = true;
    });
    expect(await world.propose(1)).toEqual({ kind: "done" });
    expect(world.proposed).toEqual([2, 3]);
  });

  test("is not brought to the next leader when it turns out that the first has done it", async () => {
    const world = new World();
    world.canCatchUp = false;
    world.outcome = () => new Promise(() => undefined);
    world.clock.schedule(1_000, () => {
      world.leader = 3;
      world.term = 6;
    });
    world.clock.schedule(2_000, () => {
      world.watched.get(1)?.({ kind: "topicExists" });
      world.canCatchUp = true;
    });
    expect(await world.propose(1)).toEqual({ kind: "topicExists" });
    expect(world.proposed).toEqual([2]);
  });

  test("that finds nobody who leads is given up in the end", async () => {
    const world = new World();
    world.cut.add(2);
    expect(await world.propose(1)).toEqual({ kind: "noController" });
    expect(world.proposed).toEqual([]);
  });
});
