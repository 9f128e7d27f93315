import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { within } from "../wait-until.ts";

/** What a peer did next: answered with a frame, or ended the connection. */
export type Reply = { readonly kind: "frame"; readonly payload: Buffer } | { readonly kind: "closed" };

/** A TCP connection on which a test writes whatever it wants and reads Kafka's frames. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #wake: (() => void) | undefined;

  static async open(bootstrapServers: string): Promise<RawConnection> {
    const [host, port] = bootstrapServers.split(":");
    const socket = connect({ host: host ?? "", port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    // A reset is as good an end as any here.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(...parts: readonly Uint8Array[]): void {
    // A single part is not copied: hundreds of connections may send the same megabytes.
    const [only] = parts;
    this.#socket.write(only && parts.length === 1 ? only : Buffer.concat(parts));
  }

  /** Takes no more bytes from the peer, as a client that hangs does. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Ends the sending side only: no more bytes will come. */
  endSending(): void {
    this.#socket.end();
  }

  /** Breaks the connection off without a goodbye. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Waits for the next frame, without its length, or for the end of the connection. */
  async reply(): Promise<Reply> {
    return await within("reply", this.#next());
  }

  /** The next frame's payload. @throws Error when the connection ends instead */
  async response(): Promise<Buffer> {
    const reply = await this.reply();
    if (reply.kind === "closed") throw new Error("Cannot read a response: the connection is closed");
    return reply.payload;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#isClosed) await once(this.#socket, "close");
  }

  async #next(): Promise<Reply> {
    for (;;) {
      const sizeBytes = this.#received.length >= 4 ? this.#received.readInt32BE(0) : Number.POSITIVE_INFINITY;
      if (this.#received.length >= 4 + sizeBytes) {
        const payload = this.#received.subarray(4, 4 + sizeBytes);
        this.#received = this.#received.subarray(4 + sizeBytes);
        return { kind: "frame", payload };
      }
      if (this.#isClosed) return { kind: "closed" };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
