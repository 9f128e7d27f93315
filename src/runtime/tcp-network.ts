import { createServer, type Socket as NodeSocket } from "node:net";
import type { Listener, ListenOptions, Network, Socket, SocketEvents } from "./network.ts";
import { receivingSocket } from "./receiving-socket.ts";

/** The machine's TCP. */
export const tcpNetwork: Network = {
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
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
