import pino from "pino";
import { expect, test } from "vitest";
import type { FrameHandler, ResponseFrame } from "#src/server/connection.ts";
import { Server, type ServerOptions } from "#src/server/server.ts";
import { FakeClock } from "../runtime/fake-clock.ts";
import { FakeNetwork, framed } from "../runtime/fake-network.ts";

/**
 * A handler whose answers a test gives: a frame that begins with "p" overlaps, "n…" has no answer, "!…" fails; all
 * others wait for `answer`.
 */
class TestHandler implements FrameHandler {
  readonly begun: string[] = [];
  readonly #answers = new Map<string, PromiseWithResolvers<ResponseFrame>>();
  aborted: string[] = [];

  carriesRecords(frame: Buffer): boolean {
    return frame.toString().startsWith("p");
  }

  answer(frame: Buffer, { closed }: { closed: AbortSignal }): ResponseFrame | Promise<ResponseFrame> {
    const text = frame.toString();
    this.begun.push(text);
    if (text.startsWith("sync")) return [framed(`<${text}>`)];
    if (text.startsWith("!")) throw new Error("malformed");
    closed.addEventListener("abort", () => {
      this.aborted.push(text);
      if (text.startsWith("poll")) this.reply(text);
    });
    const answer = Promise.withResolvers<ResponseFrame>();
    this.#answers.set(text, answer);
    return answer.promise;
  }

  reply(text: string): void {
    this.#answers.get(text)?.resolve(text.startsWith("n") ? undefined : [framed(`<${text}>`)]);
  }

  fail(text: string): void {
    this.#answers.get(text)?.reject(new Error("handler failed"));
  }
}

class ServerWorld {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork();
  readonly handler = new TestHandler();
  readonly server: Server;

  constructor(options: Partial<ServerOptions> = {}) {
    this.server = new Server({
      network: this.network,
      clock: this.clock,
      logger: pino({ level: "silent" }),
      handler: this.handler,
      requestBytesMax: 1_000,
      queuedBytesMax: 2_000,
      connectionsMax: 10,
      connectionsPerAddressMax: () => 5,
      idleMsMax: 60_000,
      ...options,
    });
  }

  static async open(options: Partial<ServerOptions> = {}): Promise<ServerWorld> {
    const world = new ServerWorld(options);
    await world.server.listen({ name: "PLAINTEXT", host: "127.0.0.1", port: 9092 });
    world.server.open();
    return world;
  }

  connect(remoteAddress?: string) {
    return this.network.connect(9092, remoteAddress);
  }

  async close(): Promise<void> {
    await this.clock.until(this.server.close());
  }
}

const answersTo = (client: { frames: Buffer[] }) => client.frames.map(String);

test("answers leave in the order of the requests, whatever finishes first (trap 4)", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  for (const text of ["p1", "p2", "p3"]) client.send(framed(text));
  await world.clock.settle();
  expect(world.handler.begun).toEqual(["p1", "p2", "p3"]);
  world.handler.reply("p3");
  world.handler.reply("p2");
  await world.clock.settle();
  expect(answersTo(client)).toEqual([]);
  world.handler.reply("p1");
  await world.clock.settle();
  expect(answersTo(client)).toEqual(["<p1>", "<p2>", "<p3>"]);
});

test("a request is begun when the one before it is answered: a client sees its own effects", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  for (const text of ["a", "b", "p1", "p2", "c"]) client.send(framed(text));
  const begunAfter = async (text: string) => {
    world.handler.reply(text);
    await world.clock.settle();
    return world.handler.begun.at(-1);
  };
  await world.clock.settle();
  expect(world.handler.begun).toEqual(["a"]);
  expect(await begunAfter("a")).toBe("b");
  expect(await begunAfter("b")).toBe("p2");
  expect(await begunAfter("p2")).toBe("p2");
  expect(await begunAfter("p1")).toBe("c");
});

test("a request without an answer lets the next ones through (trap 5)", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  for (const text of ["n1", "sync2"]) client.send(framed(text));
  await world.clock.settle();
  world.handler.reply("n1");
  await world.clock.settle();
  expect(answersTo(client)).toEqual(["<sync2>"]);
});

test.each(["!malformed", "later"])(
  "a request that fails (%s) closes its connection and no other",
  async (text) => {
    const world = await ServerWorld.open();
    const [client, other] = [world.connect(), world.connect()];
    client.send(framed(text));
    other.send(framed("sync"));
    await world.clock.settle();
    world.handler.fail(text);
    await world.clock.settle();
    expect([client.isClosed, other.isClosed]).toEqual([true, false]);
    expect(answersTo(other)).toEqual(["<sync>"]);
    expect(world.server.requestsHeld).toEqual({ count: 0, sizeBytes: 0 });
  },
);

test("a frame of an impossible size closes the connection", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  client.send(Buffer.from([0x7f, 0xff, 0xff, 0xff]));
  expect(client.isClosed).toBe(true);
});

test("memory is given back on every way that a connection ends", async () => {
  const world = await ServerWorld.open();
  const half = framed("half a frame").subarray(0, 9);
  const ends = [
    (client: ReturnType<ServerWorld["connect"]>) => client.close(),
    (client: ReturnType<ServerWorld["connect"]>) => client.close(new Error("ECONNRESET")),
    (client: ReturnType<ServerWorld["connect"]>) => client.send(Buffer.from("this is no frame at all")),
    () => world.handler.fail("a"),
  ];
  for (const end of ends) {
    const client = world.connect();
    for (const text of ["a", "b", "c"]) client.send(framed(text));
    client.send(end === ends[2] ? Buffer.alloc(0) : half);
    await world.clock.settle();
    expect(world.server.requestsHeld.count).toBe(3);
    end(client);
    await world.clock.settle();
    expect([client.isClosed, world.server.requestsHeld]).toEqual([true, { count: 0, sizeBytes: 0 }]);
  }
  expect(world.server.connectionCount).toBe(0);
});

test("over the memory's bound connections stop reading, and go on when there is room", async () => {
  const world = await ServerWorld.open({ queuedBytesMax: 1_000 });
  const [first, second] = [world.connect(), world.connect()];
  first.send(framed(`a${"x".repeat(600)}`));
  second.send(framed(`b${"x".repeat(600)}`));
  second.send(framed("sync"));
  await world.clock.settle();
  expect([second.isServerPaused, second.unreadBytes]).toEqual([true, 8]);
  world.handler.reply(`a${"x".repeat(600)}`);
  await world.clock.settle();
  expect([second.isServerPaused, second.unreadBytes]).toEqual([false, 0]);
});

test("a connection with many waiting requests goes on reading even if memory was short when they were answered", async () => {
  const world = await ServerWorld.open({ queuedBytesMax: 1_000 });
  const [many, large] = [world.connect(), world.connect()];
  many.send(framed("gate"));
  for (let at = 0; at < 70; at++) many.send(framed(`sync${at}`));
  await world.clock.settle();
  expect(many.isServerPaused).toBe(true);
  const text = `l${"x".repeat(990)}`;
  large.send(framed(text));
  world.handler.reply("gate");
  await world.clock.settle();
  world.handler.reply(text);
  await world.clock.settle();
  expect(answersTo(many)).toHaveLength(71);
  expect(many.isServerPaused).toBe(false);
});

test("peers that begin frames and stop cannot lock the others out, nor take more than the bound", async () => {
  const world = await ServerWorld.open({ queuedBytesMax: 2_000 });
  const stalled = Array.from({ length: 4 }, () => world.connect());
  for (const client of stalled) client.send(framed("x".repeat(900)).subarray(0, 800));
  const poll = world.connect("10.0.0.2");
  poll.send(framed("poll"));
  const client = world.connect("10.0.0.2");
  client.send(framed("sync"));
  await world.clock.settle();
  expect(answersTo(client)).toEqual(["<sync>"]);
  expect(world.server.requestsHeld.sizeBytes).toBeLessThanOrEqual(2_000);
  expect(stalled.map(({ isClosed }) => isClosed)).toEqual([true, true, false, false]);
});

test("a peer that does not take its answers gets no further request begun", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  client.stopTaking();
  client.send(framed("big"));
  await world.clock.settle();
  world.handler.answer = () => [Buffer.alloc(2 << 20)];
  client.send(framed("big"));
  client.send(framed("sync"));
  world.handler.reply("big");
  await world.clock.settle();
  expect(client.socket.unsentBytes).toBeGreaterThan(1 << 20);
  const held = world.server.requestsHeld.count;
  client.startTaking();
  await world.clock.settle();
  expect([held, world.server.requestsHeld.count]).toEqual([1, 0]);
});

test("idle connections are closed, busy ones are not (connections.max.idle.ms)", async () => {
  const world = await ServerWorld.open();
  const [idle, waiting, talking] = [world.connect(), world.connect(), world.connect()];
  waiting.send(framed("a"));
  for (let round = 0; round < 4; round++) {
    talking.send(framed("sync"));
    await world.clock.advance(25_000);
  }
  expect([idle.isClosed, waiting.isClosed, talking.isClosed]).toEqual([true, false, false]);
});

test("a peer that leaves its answer untaken counts as idle", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  client.stopTaking();
  client.send(framed("sync"));
  client.send(framed("a"));
  await world.clock.advance(100_000);
  expect(client.isClosed).toBe(true);
});

test("connections over the limits are refused, by address and in all", async () => {
  const world = await ServerWorld.open({ connectionsMax: 3, connectionsPerAddressMax: () => 2 });
  const clients = ["a", "a", "a", "b", "b"].map((address) => world.connect(address));
  expect(clients.map(({ isClosed }) => isClosed)).toEqual([false, false, true, false, true]);
  clients[0]?.close();
  expect(world.connect("a").isClosed).toBe(false);
  await world.close();
  expect(world.clock.timerCount).toBe(0);
});

test("who connects before the server opens is served afterwards", async () => {
  const world = new ServerWorld();
  await world.server.listen({ name: "PLAINTEXT", host: "127.0.0.1", port: 9092 });
  const client = world.connect();
  world.server.open();
  client.send(framed("sync"));
  await world.clock.settle();
  expect(answersTo(client)).toEqual(["<sync>"]);
});

test("a stop answers what has been begun, begins nothing new and lets no timer behind", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  for (const text of ["a", "b"]) client.send(framed(text));
  await world.clock.settle();
  const closed = world.server.close();
  world.handler.reply("a");
  await world.clock.until(closed);
  expect(answersTo(client)).toEqual(["<a>"]);
  expect(world.handler.begun).toEqual(["a"]);
  expect([client.isEnded, client.isClosed, world.clock.timerCount]).toEqual([true, true, 0]);
  expect(world.network.ports).toEqual([]);
});

test("a stop ends long polls at once", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  client.send(framed("poll"));
  await world.clock.settle();
  await world.close();
  expect(answersTo(client)).toEqual(["<poll>"]);
  expect(world.clock.monotonicMs()).toBeLessThan(100);
});

test("a stop does not wait for ever for an answer that never comes", async () => {
  const world = await ServerWorld.open();
  const client = world.connect();
  client.send(framed("never"));
  await world.clock.settle();
  await world.close();
  expect(client.isClosed).toBe(true);
  expect(world.clock.monotonicMs()).toBeLessThan(6_000);
  expect(world.server.requestsHeld).toEqual({ count: 0, sizeBytes: 0 });
});
