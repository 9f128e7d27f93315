import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** What was answered before may not be listened at yet. */
const given = new Set<number>();

/**
 * A loopback port that a broker can have again after a crash.
 *
 * It lies below the range of ephemeral ports: inside that range, a client that tries to reconnect while nobody
 * listens can be given the very port as its own and end up connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (given.has(port) || !(await canListen(port))) continue;
    given.add(port);
    return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
