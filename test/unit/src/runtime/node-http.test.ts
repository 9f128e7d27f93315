import { connect } from "node:net";
import { expect, test } from "vitest";
import { AddressInUseError, type HttpHandler } from "#src/runtime/http.ts";
import { nodeHttp } from "#src/runtime/node-http.ts";

const loopback = { host: "127.0.0.1", port: 0 };

async function withServer<T>(handler: HttpHandler, work: (port: number) => Promise<T>): Promise<T> {
  const { port, close } = await nodeHttp.serve(loopback, handler);
  try {
    return await work(port);
  } finally {
    await close();
  }
}

const echo: HttpHandler = ({ method, path }) => ({
  status: 200,
  contentType: "text/plain",
  body: `${method} ${path}`,
});

/** Sends bytes as they are and answers all that comes back until the connection ends. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: loopback.host, port }, () => socket.write(bytes));
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}

test("a handler gets method and path without the query", async () => {
  const answers = await withServer(echo, async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics?name=x`);
    return [response.status, response.headers.get("cache-control"), await response.text()];
  });
  expect(answers).toEqual([200, "no-store", "GET /metrics"]);
});

test("HEAD tells the length and sends no body", async () => {
  const response = await withServer(echo, (port) => fetch(`http://127.0.0.1:${port}/x`, { method: "HEAD" }));
  expect(response.headers.get("content-length")).toBe(String("HEAD /x".length));
  expect(await response.text()).toBe("");
});

test("a handler that fails is a 500 with the reason", async () => {
  const fail: HttpHandler = () => Promise.reject(new Error("no such thing"));
  const answers = await withServer(fail, async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return [response.status, await response.text()];
  });
  expect(answers).toEqual([500, "no such thing\n"]);
});

test("a request with a body ends its connection, unread", async () => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  const received = await withServer(echo, (port) => exchange(port, head));
  expect(received).toContain("HTTP/1.1 200");
  expect(received.toLowerCase()).toContain("connection: close");
});

test("headers beyond the bound are refused", async () => {
  const head = `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(10_000)}\r\n\r\n`;
  expect(await withServer(echo, (port) => exchange(port, head))).toContain("HTTP/1.1 431");
});

test("what is not HTTP is refused", async () => {
  expect(await withServer(echo, (port) => exchange(port, "\0\0\0\x10kafka\r\n\r\n"))).toContain(
    "HTTP/1.1 400",
  );
});

test("a taken address has an error of its own", async () => {
  await withServer(echo, async (port) => {
    const error = await nodeHttp
      .serve({ host: loopback.host, port }, echo)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AddressInUseError);
    expect(String(error)).toContain(`Cannot listen on "127.0.0.1:${port}"`);
  });
});

test("closing does not wait for a request that hangs", async () => {
  const hanging = Promise.withResolvers<void>();
  const never: HttpHandler = () => {
    hanging.resolve();
    return new Promise(() => undefined);
  };
  const { port, close } = await nodeHttp.serve(loopback, never);
  const received = exchange(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").catch(() => "");
  await hanging.promise;
  await close();
  expect(await received).toBe("");
});
