import { describe, expect, test } from "vitest";
import type { ChunkFrame } from "#raft/transport/node-frame.ts";
import { MetadataForwarder } from "#src/cluster/metadata-forwarder.ts";
import type { ProposalOutcome } from "#src/cluster/metadata-store.ts";
import { NodeCalls } from "#src/cluster/node-calls.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

const command = new Uint8Array([1, 2, 3]);
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
      calls,
      clock: this.clock,
      leaderNodeId: () => this.believed.get(nodeId) ?? this.leader,
      proposeHere: () => {
        if (this.leader !== nodeId) return undefined;
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

  test("whose fate the leader does not know is not proposed again", async () => {
    const world = new World();
    world.outcome = () => Promise.resolve({ kind: "indefinite" });
    expect(await world.propose(1)).toEqual({ kind: "indefinite" });
    expect(world.proposed).toEqual([2]);
  });

  test("whose answer is lost is indefinite, too", async () => {
    const world = new World();
    world.outcome = () => new Promise(() => undefined);
    expect(await world.propose(1)).toEqual({ kind: "indefinite" });
    expect(world.proposed).toEqual([2]);
  });

  test("that finds nobody who leads is given up in the end", async () => {
    const world = new World();
    world.cut.add(2);
    expect(await world.propose(1)).toEqual({ kind: "noController" });
    expect(world.proposed).toEqual([]);
  });
});
