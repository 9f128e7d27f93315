import { createServer, type Server } from "node:net";
import type { Listener, ListenOptions, Network, Socket } from "./network.ts";
import { receivingSocket } from "./receiving-socket.ts";
import { TcpSocket } from "./tcp-socket.ts";

/** The machine's TCP. */
export const tcpNetwork: Network = {
  async listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    return await listenWith(options, () =>
      createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (accepted) =>
        accept(new TcpSocket((onBytes) => receivingSocket(accepted, onBytes))),
      ),
    );
  },
};

/** Listens at a host and port with a server for each address that the host means. */
export async function listenWith({ host, port }: ListenOptions, makeServer: () => Server): Promise<Listener> {
  if (host !== "localhost") return await listenOn({ host, port }, makeServer());
  // Clients take the name for either family, some for the newer one first: both must be open, under one port.
  const listener = await listenOn({ host: "127.0.0.1", port }, makeServer());
  try {
    return joined(listener, await listenOn({ host: "::1", port: listener.port }, makeServer()));
  } catch (error) {
    if (hasNoAddress(error)) return listener;
    await listener.close();
    throw error;
  }
}

function listenOn({ host, port }: ListenOptions, server: Server): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.removeListener("error", reject);
      // Running out of file descriptors fails single accepts, not the listener.
      server.on("error", () => undefined);
      const address = server.address();
      resolve({
        port: typeof address === "object" && address ? address.port : port,
        close: () => new Promise<void>((closed) => server.close(() => closed())),
      });
    });
  });
}

function joined(first: Listener, second: Listener): Listener {
  return {
    port: first.port,
    close: async () => {
      await Promise.all([first.close(), second.close()]);
    },
  };
}

/** This machine has no IPv6. */
function hasNoAddress(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}
