import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { AddressInUseError, type HttpHandler, type HttpNetwork, type HttpResponse } from "./http.ts";
import type { Listener, ListenOptions } from "./network.ts";

/** Importing the module touches all that it exports, its WebSocket too, whose library takes 8 MB and 20 ms. */
const { createServer } = process.getBuiltinModule("node:http");

/** Scrapers and probes are few; whoever holds more connections than this is neither. */
const connectionsMax = 64;
const headerBytesMax = 8_192;
const headersMsMax = 5_000;
const requestMsMax = 10_000;
/** A peer that takes nothing for so long is cut off with what it was sent. */
const idleMsMax = 10_000;

/** The machine's HTTP over TCP. */
export const nodeHttp: HttpNetwork = {
  async serve(options: ListenOptions, handler: HttpHandler): Promise<Listener> {
    const server = createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersMsMax,
      requestTimeout: requestMsMax,
      keepAliveTimeout: idleMsMax,
      connectionsCheckingInterval: 1_000,
    });
    server.maxConnections = connectionsMax;
    server.timeout = idleMsMax;
    server.on("request", (request, response) => {
      answer(request, response, handler).catch(() => response.destroy());
    });
    const port = await listen(server, options);
    return { port, close: () => close(server) };
  },
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handler: HttpHandler,
): Promise<void> {
  const [path = "/"] = (request.url ?? "/").split("?", 1);
  // A body is not read: what is left of it goes with the connection.
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"];
  let answered: HttpResponse;
  try {
    answered = await handler({ method: request.method ?? "GET", path });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    answered = { status: 500, contentType: "text/plain; charset=utf-8", body: `${reason}\n` };
  }
  response.writeHead(answered.status, {
    "content-type": answered.contentType,
    "content-length": Buffer.byteLength(answered.body),
    "cache-control": "no-store",
    ...(answered.allow && { allow: answered.allow }),
    ...(hasBody && { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : answered.body);
}

function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "EADDRINUSE" ? new AddressInUseError(options, { cause }) : cause);
    });
    // An empty host is every address, as in `listeners`.
    server.listen({ port: options.port, ...(options.host !== "" && { host: options.host }) }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : options.port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // A scrape that hangs must not hold up the shutdown.
    server.closeAllConnections();
  });
}
