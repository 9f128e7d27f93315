import type { Socket as NodeSocket } from "node:net";
import type { Socket, SocketEvents } from "./network.ts";
import { ReadTurn, type Receiver } from "./read-turn.ts";

/** All sockets of the process share its event loop. */
const turn = new ReadTurn();

/** A TCP or TLS connection of Node as the port has it. */
export class TcpSocket implements Socket, Receiver {
  readonly remoteAddress: string;
  readonly #socket: NodeSocket;
  #failure: Error | undefined;
  #events: SocketEvents | undefined;
  #isPaused = true;
  #isHeld = false;

  /** `make` gives a paused socket that hands what it receives to `onBytes`. */
  constructor(make: (onBytes: (bytes: Buffer) => void) => NodeSocket) {
    const socket = make((bytes) => {
      turn.take(bytes.length, this);
      this.#events?.data(bytes);
    });
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
    this.resume();
  }

  write(chunks: readonly Uint8Array[]): void {
    // One gather write for the whole response.
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isHeld) this.#socket.resume();
  }

  hold(): void {
    this.#isHeld = true;
    this.#socket.pause();
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#isPaused) this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
