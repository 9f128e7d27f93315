import { createServer, type Socket as NodeSocket } from "node:net";
import type { Listener, ListenOptions, Network, Socket, SocketEvents } from "./network.ts";

/** The machine's TCP. */
export const tcpNetwork: Network = {
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) =>
      accept(new TcpSocket(socket)),
    );
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
        server.removeListener("error", reject);
        // Running out of file descriptors fails single accepts, not the listener.
        server.on("error", () => undefined);
        const address = server.address();
        resolve({
          port: typeof address === "object" && address ? address.port : options.port,
          close: () => new Promise<void>((closed) => server.close(() => closed())),
        });
      });
    });
  },
};

class TcpSocket implements Socket {
  readonly remoteAddress: string;
  readonly #socket: NodeSocket;

  constructor(socket: NodeSocket) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? "unknown";
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  listen(events: SocketEvents): void {
    let failure: Error | undefined;
    this.#socket.on("data", (chunk: Buffer) => events.data(chunk));
    this.#socket.on("drain", () => events.drain());
    this.#socket.on("error", (error) => {
      failure = error;
    });
    this.#socket.on("close", () => events.close(failure));
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
