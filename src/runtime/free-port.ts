import { createServer } from "node:net";
import type { HostPort } from "../config/host-port.ts";

/** Whether a listener could be opened there now; port 0 always can. */
export async function isFreePort(address: HostPort): Promise<boolean> {
  return (await tryListen(address)) !== undefined;
}

/** A port that nobody listens on now. @throws Error where the host has no address of this machine */
export async function findFreePort(host: string): Promise<number> {
  const port = await tryListen({ host, port: 0 });
  if (port === undefined) throw new Error(`Cannot listen on "${host}"`);
  return port;
}

async function tryListen({ host, port }: HostPort): Promise<number | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ port, ...(host !== "" && { host }) }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}
