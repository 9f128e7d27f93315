import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { freePort } from "../integration/free-port.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { NodeLinks } from "./node-links.ts";

const there = { from: 1, to: 2 };
const back = { from: 2, to: 1 };

/** A server that says everything twice, behind a link from node 1 to node 2. */
async function echoBehind(links: NodeLinks) {
  const port = await freePort();
  const heard: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      heard.push(String(chunk));
      socket.write(`${String(chunk)}${String(chunk)}`);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({ host: "127.0.0.1", port: await links.open({ ...there, port }) });
  let answered = "";
  let isClosed = false;
  socket.on("data", (chunk) => {
    answered += String(chunk);
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    isClosed = true;
  });
  return {
    socket,
    heard: () => heard.join(""),
    answered: () => answered,
    isClosed: () => isClosed,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("what is cut in one direction arrives when the link is whole again, and nothing of it is lost", async () => {
  await using links = new NodeLinks();
  await using echo = await echoBehind(links);
  echo.socket.write("a");
  await waitUntil("the echo", () => echo.answered() === "aa");

  links.block([back]);
  echo.socket.write("b");
  await waitUntil("what still goes there", () => echo.heard() === "ab");
  await sleep(50);
  expect(echo.answered()).toBe("aa");
  links.unblock([back]);
  await waitUntil("the answer that was held", () => echo.answered() === "aabb");

  links.block([there]);
  echo.socket.write("c");
  await sleep(50);
  expect(echo.heard()).toBe("ab");
  links.unblock([there]);
  await waitUntil("all of it", () => echo.answered() === "aabbcc");
});

test("who connects through a cut link waits, and an end that leaves is not noticed across it", async () => {
  await using links = new NodeLinks();
  links.block([there]);
  await using echo = await echoBehind(links);
  echo.socket.write("x");
  await sleep(50);
  expect(echo.heard()).toBe("");
  expect(echo.isClosed()).toBe(false);
  links.unblock([there]);
  await waitUntil("the connection", () => echo.answered() === "xx");
});

test("a reset breaks what is connected", async () => {
  await using links = new NodeLinks();
  await using echo = await echoBehind(links);
  echo.socket.write("x");
  await waitUntil("the echo", () => echo.answered() === "xx");
  links.reset();
  await waitUntil("the break", () => echo.isClosed());
});
