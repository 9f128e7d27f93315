import { createServer, type Socket as NodeSocket } from "node:net";
import type { Listener, ListenOptions, Network, Socket, SocketEvents } from "./network.ts";
import { receivingSocket } from "./receiving-socket.ts";

/** The machine's TCP. */
export const tcpNetwork: Network = {
  async listen({ host, port }: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    if (host !== "localhost") return await listenOn({ host, port }, accept);
    // Clients take the name for either family, some for the newer one first: both must be open, under one port.
    const listener = await listenOn({ host: "127.0.0.1", port }, accept);
    try {
      return joined(listener, await listenOn({ host: "::1", port: listener.port }, accept));
    } catch (error) {
      if (hasNoAddress(error)) return listener;
      await listener.close();
      throw error;
    }
  },
};

function listenOn({ host, port }: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
    accept(new TcpSocket(socket)),
  );
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

class TcpSocket implements Socket {
  readonly remoteAddress: string;
  readonly #socket: NodeSocket;
  #failure: Error | undefined;
  #events: SocketEvents | undefined;

  constructor(accepted: NodeSocket) {
    const socket = receivingSocket(accepted, (bytes) => this.#events?.data(bytes));
    this.#socket = socket;
    // IPv4 peers of a listener for both families, as everybody else writes them.
    this.remoteAddress = (socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d)/, "");
    // From the first moment: an error that nobody listens for would end the process.
    socket.on("error", (error) => {
      this.#failure = error;
    });
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  listen(events: SocketEvents): void {
    this.#events = events;
    this.#socket.on("drain", () => events.drain());
    if (this.#socket.closed) {
      process.nextTick(() => events.close(this.#failure));
      return;
    }
    this.#socket.on("close", () => events.close(this.#failure));
    this.#socket.resume();
  }

  write(chunks: readonly Uint8Array[]): void {
    // One gather write for the whole response.
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
