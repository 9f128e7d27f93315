import { connect } from "node:net";
import pino from "pino";
import { expect, test } from "vitest";
import { systemClock } from "#src/runtime/clock.ts";
import { tcpNetwork } from "#src/runtime/tcp-network.ts";
import { Server } from "#src/server/server.ts";
import { framed } from "../runtime/fake-network.ts";

async function echoServer() {
  const server = new Server({
    network: tcpNetwork,
    clock: systemClock,
    logger: pino({ level: "silent" }),
    handler: {
      carriesRecords: () => false,
      answer: async (frame) => [framed(frame)],
    },
    requestBytesMax: 1 << 20,
    queuedBytesMax: 1 << 22,
    connectionsMax: 10,
    connectionsPerAddressMax: () => 10,
    idleMsMax: 600_000,
  });
  const port = await server.listen({ name: "PLAINTEXT", host: "127.0.0.1", port: 0 });
  server.open();
  return { server, port };
}

test("a stop closes connected clients that say nothing without waiting for them", async () => {
  const { server, port } = await echoServer();
  const client = connect(port, "127.0.0.1");
  const echoed = new Promise((resolve) => client.once("data", resolve));
  client.write(framed("hello"));
  await echoed;
  const ended = new Promise((resolve) => client.once("close", resolve));
  const outcome = await Promise.race([
    server.close().then(() => "closed"),
    new Promise((resolve) => setTimeout(resolve, 3_000, "still waiting")),
  ]);
  expect(outcome).toBe("closed");
  await ended;
});

test("frames keep their bytes while later ones arrive", async () => {
  const { server, port } = await echoServer();
  const client = connect(port, "127.0.0.1");
  const texts = Array.from({ length: 200 }, (_, at) =>
    String.fromCharCode(97 + (at % 26)).repeat(1 + at * 37),
  );
  let received = Buffer.alloc(0);
  const wanted = Buffer.concat(texts.map((text) => framed(text)));
  const all = new Promise<void>((resolve) => {
    client.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= wanted.length) resolve();
    });
  });
  for (const text of texts) client.write(framed(text));
  await all;
  expect(received.equals(wanted)).toBe(true);
  client.destroy();
  await server.close();
});
