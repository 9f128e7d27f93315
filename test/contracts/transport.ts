import { describe, expect, test } from "vitest";
import type { Entry } from "#raft/core/entry.ts";
import { replicaId } from "#raft/core/replica-id.ts";
import type { ChunkFrame, NodeFrame, PassFrame } from "#raft/transport/node-frame.ts";
import type { Refusal } from "#raft/transport/refusal.ts";
import type {
  DownCause,
  NodeIdentity,
  PeerAddress,
  PeerIdentity,
  Transport,
  TransportEvents,
} from "#raft/transport/transport.ts";

/** What a node of a test was told, in order. */
export interface Told {
  readonly frames: { readonly from: PeerIdentity; readonly frame: NodeFrame }[];
  readonly up: PeerIdentity[];
  readonly down: { readonly peer: PeerIdentity; readonly cause: DownCause }[];
  readonly reset: PeerIdentity[];
  readonly drained: number[];
  readonly refused: Refusal[];
  readonly unreachable: number[];
}

/** A node of a test: a transport, what it was told, and where others reach it. */
export interface NodeUnderTest {
  readonly transport: Transport;
  readonly told: Told;
  readonly address: PeerAddress;
}

export interface StartOptions {
  readonly identity: NodeIdentity;
  readonly events: TransportEvents;
  readonly outboxBytesMax: number;
}

/** A network for a test; its disposal ends it with all that is left of it. */
export interface TransportWorld extends AsyncDisposable {
  /** Starts a transport that listens at a place of its own. */
  start(options: StartOptions): Promise<{ transport: Transport; host: string; port: number }>;
  /** Ends a node as a crash does: nobody says goodbye. */
  crash(transport: Transport): Promise<void>;
  /** Breaks the connections of a node; it lives on. */
  breakConnections(transport: Transport): void;
  /** Lets things happen until the condition holds; rejects when that takes too long. */
  until(condition: () => boolean): Promise<void>;
  /** Lets things happen for a while in which nothing is waited for. */
  settle(): Promise<void>;
}

const outboxBytesMax = 1 << 20;

/** What every transport owes its callers; `makeWorld` gives a fresh network for each test. */
export function transportContract(name: string, makeWorld: () => Promise<TransportWorld>): void {
  describe(`${name} keeps the transport's contract`, () => {
    test("frames arrive in order and as they were sent, with who sent them", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      const sent = Array.from({ length: 60 }, (_, at) =>
        at % 3 === 0 ? chunkOf(at, at * 7) : appendOf(at, at * 11),
      );
      for (const frame of sent) expect(one.transport.send(2, frame)).toBe(true);
      await world.until(() => two.told.frames.length === sent.length);
      expect(two.told.frames.map(({ frame }) => frame)).toEqual(sent);
      expect(two.told.frames[0]?.from).toEqual({ nodeId: 1, incarnation: 7 });
      expect(one.transport.counters).toMatchObject({
        framesSent: 60,
        framesDroppedDown: 0,
        framesDroppedFull: 0,
      });
      expect(two.transport.counters.framesReceived).toBe(60);
    });

    test("both directions work, and between more than two nodes", async () => {
      await using world = await makeWorld();
      const nodes = await connected(world, [1, 2, 3]);
      for (const { transport, address } of nodes) {
        const from = address.nodeId;
        for (const to of [1, 2, 3]) if (to !== from) transport.send(to, appendOf(1, 100, { from, to }));
      }
      await world.until(() => nodes.every(({ told }) => told.frames.length === 2));
      const froms = nodes.map(({ told }) => told.frames.map(({ from }) => from.nodeId).sort());
      expect(froms).toEqual([
        [2, 3],
        [1, 3],
        [1, 2],
      ]);
    });

    test("a frame of several megabytes arrives, also over the outbox's bound where nothing waits", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      const large = appendOf(1, 5 << 20);
      expect(one.transport.send(2, large)).toBe(true);
      await world.until(() => two.told.frames.length === 1);
      const [arrived] = two.told.frames;
      // Compared as bytes: as objects it takes seconds.
      expect(Buffer.compare(payloadOf(arrived?.frame), payloadOf(large))).toBe(0);
    });

    test("what waits for a peer is bounded: frames beyond it are dropped, and it is told when there is room again", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      const frame = appendOf(1, 100_000);
      let taken = 0;
      while (taken < 1_000 && one.transport.send(2, frame)) taken += 1;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(1_000);
      expect(one.transport.outboxBytes(2)).toBeLessThanOrEqual(outboxBytesMax);
      expect(one.transport.counters.framesDroppedFull).toBe(1);
      await world.until(() => one.told.drained.length === 1);
      expect(one.transport.outboxBytes(2)).toBe(0);
      expect(one.transport.send(2, frame)).toBe(true);
      await world.until(() => two.told.frames.length === taken + 1);
    });

    test("frames to nobody, or to a peer that is not up, are dropped and counted", async () => {
      await using world = await makeWorld();
      const one = await startNode(world, 1);
      const nowhere = await startNode(world, 2);
      await nowhere.transport.close();
      expect(one.transport.send(9, appendOf(1, 10))).toBe(false);
      one.transport.setPeers([nowhere.address]);
      expect(one.transport.isUp(2)).toBe(false);
      expect(one.transport.send(2, appendOf(1, 10))).toBe(false);
      expect(one.transport.counters.framesDroppedDown).toBe(2);
      await world.until(() => one.told.unreachable.length > 0);
      await world.settle();
      expect(one.told.unreachable).toEqual([2]);
    });

    test("a connection that breaks is told on both sides and made anew, and frames go on in order", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      world.breakConnections(two.transport);
      await world.until(() => one.told.down.length === 1 && two.told.down.length === 1);
      expect(one.told.down).toEqual([{ peer: { nodeId: 2, incarnation: 7 }, cause: "reset" }]);
      await world.until(() => one.told.up.length === 2 && two.told.up.length === 2);
      for (let at = 0; at < 20; at++) expect(one.transport.send(2, appendOf(at, 10))).toBe(true);
      await world.until(() => two.told.frames.length === 20);
      expect(two.told.frames.map(({ frame }) => groupOf(frame))).toEqual(
        Array.from({ length: 20 }, (_, at) => at),
      );
    });

    test("a crash is told as one reset, a goodbye as none", async () => {
      await using world = await makeWorld();
      const [one, two, three] = await connected(world, [1, 2, 3]);
      await world.crash(two.transport);
      await world.until(() => one.told.down.length === 1 && one.told.reset.length === 1);
      await three.transport.close();
      await world.until(() => one.told.down.length === 2);
      await world.settle();
      expect(one.told.down.map(({ peer, cause }) => [peer.nodeId, cause])).toEqual([
        [2, "reset"],
        [3, "left"],
      ]);
      expect(one.told.reset).toEqual([{ nodeId: 2, incarnation: 7 }]);
      expect(one.transport.isUp(2)).toBe(false);
    });

    test("a peer that is no peer any more is hung up on, without an event", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      one.transport.setPeers([]);
      expect(one.transport.isUp(2)).toBe(false);
      expect(one.transport.send(2, appendOf(1, 10))).toBe(false);
      await world.settle();
      expect(one.told.down).toEqual([]);
      two.transport.send(1, appendOf(1, 10, { from: 2, to: 1 }));
      await world.settle();
      expect(one.told.frames).toEqual([]);
      one.transport.setPeers([two.address]);
      await world.until(() => one.transport.isUp(2));
    });

    test("a wiped disk and a foreign cluster are refused with a reason, and nothing of theirs comes through", async () => {
      await using world = await makeWorld();
      const one = await startNode(world, 1);
      const wiped = await startNode(world, 2, { incarnation: 8 });
      const foreign = await startNode(world, 3, { clusterId: "another" });
      one.transport.setPeers([{ ...wiped.address, incarnation: 7 }, foreign.address]);
      wiped.transport.setPeers([one.address]);
      foreign.transport.setPeers([one.address]);
      const codes = () =>
        [wiped, foreign].map(({ told }) => told.refused.find(({ by }) => by === "remote")?.code);
      await world.until(() => codes().every((code) => code !== undefined));
      expect(codes()).toEqual(["incarnation", "foreignCluster"]);
      expect(wiped.told.refused[0]?.message).toMatch(/^Cannot talk to node \d: .*incarnation/);
      expect(foreign.told.refused[0]?.message).toContain('"another"');
      expect([wiped, foreign].map(({ transport }) => transport.isUp(1))).toEqual([false, false]);
      expect([2, 3].map((nodeId) => one.transport.isUp(nodeId))).toEqual([false, false]);
    });

    test("after close nothing is told, and closing twice is no harm", async () => {
      await using world = await makeWorld();
      const [one, two] = await connectedPair(world);
      two.transport.send(1, appendOf(1, 1_000, { from: 2, to: 1 }));
      await one.transport.close();
      const before = JSON.stringify(one.told);
      await one.transport.close();
      two.transport.send(1, appendOf(2, 1_000, { from: 2, to: 1 }));
      await world.crash(two.transport);
      await world.settle();
      expect(JSON.stringify(one.told)).toBe(before);
      expect(one.transport.send(2, appendOf(1, 1))).toBe(false);
    });
  });
}

async function connectedPair(world: TransportWorld): Promise<[NodeUnderTest, NodeUnderTest]> {
  const [one, two] = await connected(world, [1, 2]);
  if (!one || !two) throw new Error("there are two");
  return [one, two];
}

/** Nodes that know each other, all connections made. */
async function connected<const Ids extends readonly number[]>(
  world: TransportWorld,
  nodeIds: Ids,
): Promise<{ -readonly [K in keyof Ids]: NodeUnderTest }> {
  const nodes: NodeUnderTest[] = [];
  for (const nodeId of nodeIds) nodes.push(await startNode(world, nodeId));
  for (const { transport } of nodes) transport.setPeers(nodes.map(({ address }) => address));
  await world.until(() => nodes.every(({ told }) => told.up.length === nodes.length - 1));
  // Whose connection was refused while the other did not know it yet has tried again; that is not what is tested.
  for (const { told } of nodes) for (const list of Object.values(told)) if (list !== told.up) list.length = 0;
  return nodes as { -readonly [K in keyof Ids]: NodeUnderTest };
}

async function startNode(
  world: TransportWorld,
  nodeId: number,
  { incarnation = 7, clusterId = "cluster" }: { incarnation?: number; clusterId?: string } = {},
): Promise<NodeUnderTest> {
  const told = tellNothing();
  const { transport, host, port } = await world.start({
    identity: { nodeId, incarnation, clusterId },
    events: recordInto(told),
    outboxBytesMax,
  });
  return { transport, told, address: { nodeId, host, port, incarnation } };
}

function tellNothing(): Told {
  return { frames: [], up: [], down: [], reset: [], drained: [], refused: [], unreachable: [] };
}

function recordInto(told: Told): TransportEvents {
  return {
    frame: (from, frame) => told.frames.push({ from, frame }),
    up: (peer) => told.up.push(peer),
    down: (peer, cause) => told.down.push({ peer, cause }),
    reset: (peer) => told.reset.push(peer),
    drained: (nodeId) => told.drained.push(nodeId),
    refused: (refusal) => told.refused.push(refusal),
    unreachable: (nodeId) => told.unreachable.push(nodeId),
  };
}

interface Ends {
  readonly from: number;
  readonly to: number;
}

/** A frame for a group with one entry of so many bytes. */
function appendOf(group: number, payloadBytes: number, { from, to }: Ends = { from: 1, to: 2 }): PassFrame {
  const payload = Buffer.alloc(payloadBytes, group);
  const entry: Entry = { index: 2, term: 1, kind: "data", baseOffset: 5, offsetCount: 1, payload };
  const ends = {
    from: replicaId({ nodeId: from, incarnation: 7 }),
    to: replicaId({ nodeId: to, incarnation: 7 }),
  };
  const message = {
    ...({ kind: "append", ...ends, term: 1 } as const),
    ...{ previousIndex: 1, previousTerm: 1, commitIndex: 1, entries: [entry] },
  };
  return { kind: "pass", messages: [{ group, message }] };
}

function chunkOf(sequence: number, payloadBytes: number): ChunkFrame {
  const payload = Buffer.alloc(payloadBytes, sequence);
  return { kind: "chunk", stream: 9, group: 4, sequence, label: "segment", isLast: false, payload };
}

function groupOf(frame: NodeFrame): number | undefined {
  return frame.kind === "pass" ? frame.messages[0]?.group : frame.group;
}

function payloadOf(frame: NodeFrame | undefined): Uint8Array {
  const message = frame?.kind === "pass" ? frame.messages[0]?.message : undefined;
  return (message?.kind === "append" && message.entries[0]?.payload) || Buffer.alloc(0);
}
