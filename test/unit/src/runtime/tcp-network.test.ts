import { connect, type Socket as NodeSocket } from "node:net";
import { expect, test } from "vitest";
import type { Socket } from "#src/runtime/network.ts";
import { tcpNetwork } from "#src/runtime/tcp-network.ts";

/** A listener on a free port and one connection to it, both sides. */
async function pair(): Promise<{ client: NodeSocket; server: Socket; close: () => Promise<void> }> {
  const accepted = Promise.withResolvers<Socket>();
  const listener = await tcpNetwork.listen({ host: "127.0.0.1", port: 0 }, accepted.resolve);
  const client = connect(listener.port, "127.0.0.1");
  return { client, server: await accepted.promise, close: () => listener.close() };
}

function ended(socket: NodeSocket): Promise<unknown> {
  return new Promise((resolve) => socket.once("close", resolve));
}

test("bytes go both ways, several chunks as one message", async () => {
  const { client, server, close } = await pair();
  const received = Promise.withResolvers<string>();
  server.listen({
    data: (chunk) => received.resolve(String(chunk)),
    drain: () => undefined,
    close: () => undefined,
  });
  client.write("hello");
  expect(await received.promise).toBe("hello");
  const answer = new Promise((resolve) => client.once("data", (chunk) => resolve(String(chunk))));
  server.write([Buffer.from("a"), Buffer.from("bc")]);
  expect(await answer).toBe("abc");
  server.destroy();
  await Promise.all([ended(client), close()]);
});

test("a peer that resets before anybody listens does not end the process, and is told of later", async () => {
  const { client, server, close } = await pair();
  client.resetAndDestroy();
  await ended(client);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = Promise.withResolvers<Error | undefined>();
  server.listen({ data: () => undefined, drain: () => undefined, close: closed.resolve });
  await closed.promise;
  await close();
});

test("an end is seen through once the peer has ended, too, although reading had been paused", async () => {
  const { client, server, close } = await pair();
  const closed = Promise.withResolvers<void>();
  server.listen({ data: () => undefined, drain: () => undefined, close: () => closed.resolve() });
  server.pause();
  client.write("not wanted any more");
  server.end();
  server.resume();
  await Promise.all([closed.promise, close()]);
});

test("IPv4 peers are named as such on a listener for both families", async () => {
  const accepted = Promise.withResolvers<Socket>();
  const listener = await tcpNetwork.listen({ host: "::", port: 0 }, accepted.resolve).catch(() => undefined);
  if (!listener) return; // No IPv6 here.
  const client = connect(listener.port, "127.0.0.1");
  const server = await accepted.promise;
  expect(server.remoteAddress).toBe("127.0.0.1");
  server.listen({ data: () => undefined, drain: () => undefined, close: () => undefined });
  server.destroy();
  await Promise.all([ended(client), listener.close()]);
});

test("a taken port is an error", async () => {
  const first = await tcpNetwork.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
  await expect(
    tcpNetwork.listen({ host: "127.0.0.1", port: first.port }, () => undefined),
  ).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
  await first.close();
});
