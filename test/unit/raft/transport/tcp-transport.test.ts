import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { askWho } from "#raft/transport/ask-who.ts";
import { encodeNodeFrame } from "#raft/transport/codec.ts";
import { FrameEncoder } from "#raft/transport/frame-encoder.ts";
import { FrameReader } from "#raft/transport/frame-reader.ts";
import { type Admit, decodeAnswer, encodeHello, encodeWelcome } from "#raft/transport/handshake.ts";
import type { TransportBounds } from "#raft/transport/link-context.ts";
import type { NodeFrame } from "#raft/transport/node-frame.ts";
import type { Refusal } from "#raft/transport/refusal.ts";
import { startTcpTransport, type TcpTransport } from "#raft/transport/tcp-transport.ts";
import type { NodeIdentity, PeerAddress } from "#raft/transport/transport.ts";
import { FakeClock } from "../../src/runtime/fake-clock.ts";
import { nodeFrame } from "./frame-arbitrary.ts";
import { MemoryNetwork, type MemorySocket } from "./memory-network.ts";

const encoder = new FrameEncoder(crc32c);

interface Node {
  readonly transport: TcpTransport;
  readonly told: string[];
  readonly refused: Refusal[];
  readonly frames: NodeFrame[];
  readonly address: PeerAddress;
}

/** A network of transports on a fake clock. */
class World {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  /** How long the process stood still: time went on, timers did not. */
  pausedMs = 0;

  async start(
    identity: NodeIdentity | (() => NodeIdentity),
    { admit, bounds }: { readonly admit?: Admit; readonly bounds?: Partial<TransportBounds> } = {},
  ): Promise<Node> {
    const told: string[] = [];
    const refused: Refusal[] = [];
    const frames: NodeFrame[] = [];
    const identityNow = typeof identity === "function" ? identity : () => identity;
    const transport = await startTcpTransport({
      network: this.network,
      clock: {
        monotonicMs: () => this.clock.monotonicMs() + this.pausedMs,
        schedule: (delayMs, callback) => this.clock.schedule(delayMs, callback),
      },
      random: () => 0,
      checksum: crc32c,
      listen: { host: "memory", port: 0 },
      identity: identityNow,
      events: {
        frame: (_, frame) => frames.push(frame),
        up: ({ nodeId }) => told.push(`up ${nodeId}`),
        down: ({ nodeId }, cause) => told.push(`down ${nodeId} ${cause}`),
        reset: ({ nodeId }) => told.push(`reset ${nodeId}`),
        drained: (nodeId) => told.push(`drained ${nodeId}`),
        refused: (refusal) => refused.push(refusal),
        unreachable: (nodeId) => told.push(`unreachable ${nodeId}`),
      },
      ...(admit && { admit }),
      ...(bounds && { bounds }),
    });
    const { nodeId, incarnation } = identityNow();
    return {
      transport,
      told,
      refused,
      frames,
      address: { nodeId, incarnation, host: "memory", port: transport.port },
    };
  }

  async close(...nodes: readonly Node[]): Promise<void> {
    await this.clock.until(Promise.all(nodes.map(({ transport }) => transport.close())));
  }

  /** A connection of somebody who is no transport, and what comes back over it. */
  async stranger(node: Node): Promise<{ socket: MemorySocket; received: Buffer[]; isClosed: () => boolean }> {
    const { port } = node.transport;
    const { signal } = new AbortController();
    const socket = await this.clock.until(this.network.dial({ host: "memory", port, signal }));
    const received: Buffer[] = [];
    const events = { data: (chunk: Buffer) => received.push(Buffer.from(chunk)), drain: () => undefined };
    socket.listen({ ...events, close: () => undefined });
    return { socket, received, isClosed: () => socket.isClosed };
  }
}

function node(nodeId: number, changes: Partial<NodeIdentity> = {}): NodeIdentity {
  return { nodeId, incarnation: 0, clusterId: "cluster", ...changes };
}

function hello(changes: Partial<Parameters<typeof encodeHello>[0]> = {}): Buffer {
  const fields = { versionMin: 1, versionMax: 1, from: node(2), toNodeId: 1, ...changes };
  return Buffer.concat(encodeHello(fields, encoder).pieces);
}

const passBytes = Buffer.concat(
  encodeNodeFrame({ kind: "pass", messages: [] }, { from: 2, to: 1 }, encoder).pieces,
);

describe("who is let in", () => {
  test.each<[string, Buffer, Refusal["code"], RegExp]>([
    [
      "a foreign cluster",
      hello({ from: node(2, { clusterId: "other" }) }),
      "foreignCluster",
      /cluster "other".*"cluster"/,
    ],
    ["this node's own id", hello({ from: node(1, { incarnation: 5 }) }), "reusedNodeId", /node\.id/],
    [
      "another disk",
      hello({ from: node(2, { incarnation: 1 }) }),
      "incarnation",
      /incarnation 1, expected is 0/,
    ],
    ["an unknown node", hello({ from: node(9) }), "unknownNode", /Cannot talk to node 9/],
    ["who looks for another node", hello({ toNodeId: 3 }), "wrongNode", /looks for node 3/],
    ["an id out of range", hello({ from: node(2 ** 31) }), "damaged", /out of range/],
    ["newer versions alone", hello({ versionMin: 2, versionMax: 3 }), "version", /versions 2 to 3/],
    [
      "a disk that was wiped with the cluster's id",
      hello({ from: node(2, { clusterId: "" }) }),
      "incarnation",
      /joined/,
    ],
  ])("%s is refused in words, and what it sends is not heard", async (_, bytes, code, message) => {
    const world = new World();
    const one = await world.start(node(1));
    one.transport.setPeers([{ ...node(2), host: "memory", port: 1 }]);
    const { socket, received, isClosed } = await world.stranger(one);
    socket.write([bytes, passBytes]);
    await world.clock.advance(10);
    expect(one.refused).toEqual([expect.objectContaining({ direction: "inbound", by: "local", code })]);
    expect(one.refused[0]?.message).toMatch(message);
    expect(one.frames).toEqual([]);
    expect(isClosed()).toBe(true);
    // The other side is told why.
    const answers: unknown[] = [];
    const limits = { bodyBytesMax: 4_096, envelopeBytesMax: 4_096 };
    const onFrame = (frame: Parameters<typeof decodeAnswer>[0]) => answers.push(decodeAnswer(frame));
    new FrameReader({ limits, checksum: crc32c, onFrame }).push(Buffer.concat(received));
    expect(answers).toEqual([expect.objectContaining({ code })]);
    await world.close(one);
  });

  test.each<[string, Buffer]>([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    ["TLS", Buffer.from("16030100c8010000c40303aabbccddeeff00112233", "hex")],
    ["Kafka", Buffer.from("00000023001200040000000100096b61666b612d6a73", "hex")],
    ["a frame before a hello", passBytes],
    [
      "a hello of a megabyte",
      Buffer.concat([hello().subarray(0, 4), Buffer.from("0010000000100000", "hex"), Buffer.alloc(20)]),
    ],
  ])("%s is a stranger: hung up on without an answer", async (_, bytes) => {
    const world = new World();
    const one = await world.start(node(1));
    const { socket, received, isClosed } = await world.stranger(one);
    socket.write([bytes]);
    await world.clock.advance(10);
    expect(one.refused.map(({ code }) => code)).toEqual(["stranger"]);
    expect(received).toEqual([]);
    expect(isClosed()).toBe(true);
    await world.close(one);
  });

  test("who says nothing is hung up on in time, and the oldest of many at once", async () => {
    const world = new World();
    const one = await world.start(node(1), { bounds: { pendingConnectionsMax: 3 } });
    const strangers = [];
    for (let count = 0; count < 5; count++) strangers.push(await world.stranger(one));
    await world.clock.advance(1_000);
    expect(strangers.map(({ isClosed }) => isClosed())).toEqual([true, true, false, false, false]);
    expect(one.refused.map(({ code }) => code)).toEqual(["crowded", "crowded"]);
    await world.clock.advance(3_000);
    expect(strangers.every(({ isClosed }) => isClosed())).toBe(true);
    await world.close(one);
  });

  test("the node decides about disks that it does not expect, and about nodes that join", async () => {
    const world = new World();
    const asked: string[] = [];
    const admit: Admit = (stranger, expected) => {
      asked.push(`${stranger.nodeId}/${stranger.incarnation} for ${expected?.incarnation}`);
      return stranger.nodeId === 3 ? "it was decommissioned" : undefined;
    };
    const one = await world.start(node(1), { admit });
    const wiped = await world.start(node(2, { incarnation: 1 }));
    const gone = await world.start(node(3));
    one.transport.setPeers([{ ...wiped.address, incarnation: 0 }]);
    for (const { transport } of [wiped, gone]) transport.setPeers([one.address]);
    await world.clock.advance(100);
    expect(new Set(asked)).toEqual(new Set(["2/1 for 0", "3/0 for undefined"]));
    expect([wiped, gone].map(({ transport }) => transport.isUp(1))).toEqual([true, false]);
    expect(one.transport.isUp(2)).toBe(true);
    expect(gone.refused[0]).toMatchObject({
      by: "remote",
      message: "Cannot talk to node 3: it was decommissioned",
    });
    await world.close(one, wiped, gone);
  });

  test("nodes without a cluster talk to each other, and those that came into different ones do not any more", async () => {
    const world = new World();
    let clusterId = "";
    const one = await world.start(() => node(1, { clusterId }));
    const two = await world.start(node(2, { clusterId: "" }));
    for (const { transport } of [one, two]) transport.setPeers([one.address, two.address]);
    await world.clock.advance(20);
    expect([one.transport.isUp(2), two.transport.isUp(1)]).toEqual([true, true]);
    clusterId = "mine";
    one.transport.setPeers([one.address, two.address]);
    await world.clock.advance(20);
    expect(two.told).toContain("down 1 left");
    expect(two.transport.isUp(1)).toBe(false);
    await world.close(one, two);
  });

  test("a node speaks for itself only", async () => {
    const world = new World();
    const one = await world.start(node(1));
    one.transport.setPeers([{ ...node(2), host: "memory", port: 1 }]);
    const { socket, isClosed } = await world.stranger(one);
    const ends = { from: 3, to: 1, term: 1 };
    const frame: NodeFrame = {
      kind: "pass",
      messages: [{ group: 1, message: { kind: "timeoutNow", ...ends } }],
    };
    socket.write([hello(), ...encodeNodeFrame(frame, ends, encoder).pieces]);
    await world.clock.advance(10);
    expect(one.frames).toEqual([]);
    expect(one.refused[0]).toMatchObject({ code: "damaged", nodeId: 2 });
    expect(isClosed()).toBe(true);
    await world.close(one);
  });
});

async function pair(world: World): Promise<[Node, Node]> {
  const one = await world.start(node(1));
  const two = await world.start(node(2));
  one.transport.setPeers([two.address]);
  two.transport.setPeers([one.address]);
  await world.clock.advance(50);
  expect([one.transport.isUp(2), two.transport.isUp(1)]).toEqual([true, true]);
  for (const { told, refused } of [one, two]) told.length = refused.length = 0;
  return [one, two];
}

describe("a connection", () => {
  test("over which nothing comes back is given up, on both sides, though nobody closed it", async () => {
    const world = new World();
    const [one, two] = await pair(world);
    world.network.freeze();
    await world.clock.advance(4_000);
    expect(one.told).toEqual([]);
    await world.clock.advance(2_000);
    expect(one.told).toContain("down 2 silent");
    expect(two.told).toContain("down 1 silent");
    expect(world.network.openCount).toBe(0);
    await world.close(one, two);
  });

  test("outlives a long silence of the node itself, in which it could hear nothing", async () => {
    const world = new World();
    const [one, two] = await pair(world);
    await world.clock.advance(60_000);
    expect([...one.told, ...two.told]).toEqual([]);
    world.pausedMs += 60_000;
    await world.clock.advance(3_000);
    expect([...one.told, ...two.told]).toEqual([]);
    await world.close(one, two);
  });

  test("is tried again ever later while nobody answers, and at once when the peer shows itself", async () => {
    const world = new World();
    const one = await world.start(node(1));
    one.transport.setPeers([{ ...node(2), host: "memory", port: 777 }]);
    await world.clock.advance(10_000);
    expect(one.told).toEqual(["unreachable 2"]);
    // 0, 50, 150, 350, 750, 1550, 2550 …
    expect(world.network.dialed.length).toBeGreaterThan(10);
    expect(world.network.dialed.length).toBeLessThan(17);

    const { socket } = await world.stranger(one);
    const before = world.network.dialed.length;
    socket.write([hello()]);
    await world.clock.advance(2);
    expect(world.network.dialed.length).toBe(before + 1);
    await world.close(one);
  });

  test("that ends as soon as it is made is not made again and again without a pause", async () => {
    const world = new World();
    const one = await world.start(node(1));
    const welcome = encodeWelcome({ version: 1, from: node(2) }, encoder);
    const goodbye = encoder.encode({ kind: "goodbye" });
    const listener = await world.network.listen({ host: "memory", port: 0 }, (socket) => {
      socket.listen({ data: () => undefined, drain: () => undefined, close: () => undefined });
      socket.write([...welcome.pieces, ...goodbye.pieces]);
      socket.end();
    });
    one.transport.setPeers([{ ...node(2), host: "memory", port: listener.port }]);
    await world.clock.advance(10_000);
    expect(one.told.slice(0, 2)).toEqual(["up 2", "down 2 left"]);
    expect(world.network.dialed.length).toBeLessThan(30);
    await world.close(one);
  });

  test("of which the peer takes leave is not listened to any more", async () => {
    const world = new World();
    const one = await world.start(node(1));
    one.transport.setPeers([{ ...node(2), host: "memory", port: 1 }]);
    const { socket, isClosed } = await world.stranger(one);
    socket.write([hello(), passBytes, ...encoder.encode({ kind: "goodbye" }).pieces, passBytes]);
    await world.clock.advance(10);
    expect(one.frames.length).toBe(1);
    expect(isClosed()).toBe(true);
    await world.close(one);
  });

  test("does not hold up closing when the peer does not answer", async () => {
    const world = new World();
    const [one, two] = await pair(world);
    world.network.freeze();
    await world.close(one, two);
    await world.clock.advance(2);
    expect([world.network.openCount, world.clock.timerCount]).toEqual([0, 0]);
  });

  test("carries chunks only while little else waits", async () => {
    const world = new World();
    const [one, two] = await pair(world);
    const chunk = {
      kind: "chunk",
      stream: 1,
      group: 1,
      sequence: 0,
      label: "segment",
      isLast: false,
    } as const;
    let taken = 0;
    while (taken < 100 && one.transport.send(2, { ...chunk, payload: Buffer.alloc(1 << 20) })) taken += 1;
    expect(taken).toBe(1);
    expect(one.transport.send(2, { kind: "pass", messages: [] })).toBe(true);
    await world.clock.advance(5);
    expect(one.told).toEqual(["drained 2"]);
    expect(two.frames.map(({ kind }) => kind)).toEqual(["chunk", "pass"]);
    await world.close(one, two);
  });

  test("leaves no timer and no socket when its transport closes, in whatever state it is", async () => {
    for (const afterMs of [0, 1, 2, 3, 20, 600, 5_000]) {
      const world = new World();
      const one = await world.start(node(1));
      const two = await world.start(node(2));
      const nobody = { ...node(3), host: "memory", port: 1 };
      one.transport.setPeers([two.address, nobody]);
      two.transport.setPeers([one.address, nobody]);
      await world.stranger(one);
      await world.clock.advance(afterMs);
      await world.close(one, two);
      await world.clock.advance(2);
      expect([world.network.openCount, world.clock.timerCount], `closed after ${afterMs} ms`).toEqual([0, 0]);
    }
  });
});

describe("asking who is there", () => {
  function ask(
    world: World,
    { port, own = node(2) }: { port: number; own?: NodeIdentity },
  ): Promise<NodeIdentity> {
    const { network, clock } = world;
    return askWho({ network, clock, checksum: crc32c, own, host: "memory", port, timeoutMs: 1_000 });
  }

  test("tells the node at an address, and leaves the connections between the two alone", async () => {
    const world = new World();
    const [one, two] = await pair(world);
    const open = world.network.openCount;
    expect(await world.clock.until(ask(world, one.address))).toEqual(node(1));
    await world.clock.advance(1_000);
    expect(world.network.openCount).toBe(open);
    expect([...one.told, ...two.told]).toEqual([]);
    await world.close(one, two);
    await world.clock.advance(2);
    expect(world.clock.timerCount).toBe(0);
  });

  test("is refused as connecting would be, with the reason", async () => {
    const world = new World();
    const one = await world.start(node(1));
    const asked = ask(world, { ...one.address, own: node(2, { clusterId: "other" }) });
    await expect(world.clock.until(asked)).rejects.toThrow(
      /who is at memory:\d+: Cannot talk to node 2: .*"other"/,
    );
    await world.close(one);
  });

  test("fails where nobody listens, where nobody answers, and where somebody else does", async () => {
    const world = new World();
    await expect(world.clock.until(ask(world, { port: 5 }))).rejects.toThrow("connection refused");
    const silent = await world.network.listen({ host: "memory", port: 0 }, () => undefined);
    await expect(world.clock.until(ask(world, silent))).rejects.toThrow("no answer in 1000 ms");
    const other = await world.network.listen({ host: "memory", port: 0 }, (socket) => {
      socket.write([Buffer.from("220 mail.example.org ESMTP")]);
    });
    await expect(world.clock.until(ask(world, other))).rejects.toThrow("Cannot read a frame: it begins with");
    await world.clock.advance(2);
    expect([world.network.openCount, world.clock.timerCount]).toEqual([0, 0]);
  });
});

describe("the internal port", () => {
  test("survives whatever is written to it", async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(hello()),
      fc.constant(passBytes),
      nodeFrame.map((frame) => Buffer.concat(encodeNodeFrame(frame, { from: 2, to: 1 }, encoder).pieces)),
      fc.tuple(nodeFrame, fc.nat(), fc.nat(255)).map(([frame, at, byte]) => {
        const bytes = Buffer.concat(encodeNodeFrame(frame, { from: 2, to: 1 }, encoder).pieces);
        return bytes.fill(byte, at % bytes.length, (at % bytes.length) + 1);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const world = new World();
        const one = await world.start(node(1));
        one.transport.setPeers([{ ...node(2), host: "memory", port: 1 }]);
        const { socket } = await world.stranger(one);
        for (const bytes of pieces) socket.write([bytes]);
        await world.clock.advance(20);
        // A peer is let in as ever.
        const peer = await world.stranger(one);
        peer.socket.write([hello(), passBytes]);
        const before = one.frames.length;
        await world.clock.advance(20);
        expect(one.frames.length).toBe(before + 1);
        await world.close(one);
        await world.clock.advance(2);
        expect([world.network.openCount, world.clock.timerCount]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});
