import { expect, test } from "vitest";
import type { Socket } from "#src/runtime/network.ts";
import { Links } from "./links.ts";
import { SimulatedNetwork } from "./network.ts";
import { SimulatedProcess } from "./process.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import type { SimulatedSocket } from "./socket.ts";
import { Trace } from "./trace.ts";
import { Tripwires } from "./tripwires.ts";

const profile = { delayUs: 100, jitterUs: 500, slowChance: 0.2, slowUs: 5_000, splitChance: 0.5 };

/** A server that collects what it gets, and a way to connect to it. */
async function world(seed = 1) {
  const trace = new Trace();
  const tripwires = new Tripwires(() => undefined);
  const scheduler = new Scheduler({ trace, tripwires, onThrow: () => undefined });
  const links = new Links(profile, new Random(seed));
  const network = new SimulatedNetwork({ scheduler, links, trace, random: new Random(seed + 1) });
  const server = { host: "server", process: new SimulatedProcess("server") };
  const client = { host: "client", process: new SimulatedProcess("client") };
  const received: string[] = [];
  const closed: (string | undefined)[] = [];
  const accepted: Socket[] = [];
  await network.portOf(server).listen({ host: "server", port: 9 }, (socket) => {
    accepted.push(socket);
    socket.listen({
      data: (chunk) => received.push(chunk.toString()),
      drain: () => undefined,
      close: (error) => closed.push(error?.message),
    });
  });
  const connect = async (): Promise<SimulatedSocket> => {
    let socket: SimulatedSocket | undefined;
    network.connect(client, { host: "server", port: 9 }).then((made) => {
      socket = made;
    }, undefined);
    await scheduler.run(() => socket !== undefined);
    if (!socket) throw new Error("Cannot connect");
    return socket;
  };
  const settle = () => scheduler.run(() => false);
  return {
    scheduler,
    network,
    links,
    server,
    client,
    received,
    closed,
    accepted,
    connect,
    settle,
    tripwires,
  };
}

test.each([1, 2, 3, 4, 5])(
  "bytes arrive in order, whatever the delays and pieces (seed %i)",
  async (seed) => {
    const { connect, received, settle, tripwires } = await world(seed);
    const socket = await connect();
    const words = Array.from({ length: 50 }, (_, at) => `word ${at};`);
    for (const word of words) socket.write([Buffer.from(word)]);
    await settle();
    expect(received.join("")).toBe(words.join(""));
    tripwires[Symbol.dispose]();
  },
);

test("a cut direction holds bytes back until it is healed, in order", async () => {
  const { connect, received, settle, links, scheduler, tripwires } = await world();
  const socket = await connect();
  links.cut("client", "server");
  socket.write([Buffer.from("one")]);
  scheduler.schedule({ afterUs: 2_000_000, process: undefined, label: "heal" }, () => {
    expect(received).toEqual([]);
    links.heal("client", "server");
    socket.write([Buffer.from("two")]);
  });
  await settle();
  expect(received.join("")).toBe("onetwo");
  tripwires[Symbol.dispose]();
});

test("a direction that stays cut breaks the connection for who sends", async () => {
  const { connect, settle, links, tripwires } = await world();
  const socket = await connect();
  const reasons: (string | undefined)[] = [];
  socket.listen({
    data: () => undefined,
    drain: () => undefined,
    close: (error) => reasons.push(error?.message),
  });
  links.cut("client", "server");
  socket.write([Buffer.from("one")]);
  await settle();
  expect(reasons).toEqual(["Connection broke: ETIMEDOUT"]);
  tripwires[Symbol.dispose]();
});

test("a killed server resets its connections, one without power says nothing", async () => {
  for (const isPowerLost of [false, true]) {
    const { connect, settle, network, server, tripwires } = await world();
    const socket = await connect();
    const reasons: (string | undefined)[] = [];
    socket.listen({
      data: () => undefined,
      drain: () => undefined,
      close: (error) => reasons.push(error?.message),
    });
    server.process.die();
    if (isPowerLost) network.setPower("server", false);
    network.bury(server.process);
    await settle();
    expect(reasons).toEqual(isPowerLost ? [] : ["Connection broke: ECONNRESET"]);
    tripwires[Symbol.dispose]();
  }
});

test("who keeps a view of received bytes finds garbage in it", async () => {
  const { connect, settle, accepted, tripwires } = await world();
  const socket = await connect();
  await settle();
  const kept: Buffer[] = [];
  accepted[0]?.listen({ data: (chunk) => kept.push(chunk), drain: () => undefined, close: () => undefined });
  socket.write([Buffer.from("precious")]);
  await settle();
  expect(Buffer.concat(kept).toString()).not.toContain("precious");
  tripwires[Symbol.dispose]();
});

test("a peer is dialled over the same network, unless nobody listens or the attempt is given up", async () => {
  const { scheduler, network, client, accepted, tripwires } = await world();
  const peers = network.peersOf(client);
  const outcomes: string[] = [];
  const dial = (port: number, signal: AbortSignal) =>
    peers.dial({ host: "server", port, signal }).then(
      (socket) => outcomes.push(`connected with ${socket.remoteAddress}`),
      (error: Error) => outcomes.push(error.message),
    );
  void dial(9, new AbortController().signal);
  void dial(10, new AbortController().signal);
  const given = new AbortController();
  void dial(9, given.signal);
  given.abort();
  await scheduler.run(() => outcomes.length === 3);
  expect(outcomes.toSorted()).toEqual([
    "Cannot connect to server:10: nobody listens there",
    "Cannot connect to server:9: it was given up",
    "connected with server",
  ]);
  expect(accepted.length).toBeGreaterThan(0);
  tripwires[Symbol.dispose]();
});
