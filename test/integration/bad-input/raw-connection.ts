import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { within } from "../wait-until.ts";

/** What a peer did next: answered with a frame, or ended the connection. */
export type Reply = { readonly kind: "frame"; readonly payload: Buffer } | { readonly kind: "closed" };

/** A TCP connection on which a test writes whatever it wants and reads Kafka's frames. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  /** Joined only once a frame is there: each of its pieces would else copy all before it. */
  #received: Buffer[] = [];
  #receivedBytes = 0;
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
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
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
      const frameBytes = this.#frameBytes();
      if (this.#receivedBytes >= frameBytes) {
        const received = Buffer.concat(this.#received);
        this.#received = [received.subarray(frameBytes)];
        this.#receivedBytes -= frameBytes;
        return { kind: "frame", payload: received.subarray(4, frameBytes) };
      }
      if (this.#isClosed) return { kind: "closed" };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Of the next frame, with its length. */
  #frameBytes(): number {
    if (this.#receivedBytes < 4) return Number.POSITIVE_INFINITY;
    const [first] = this.#received;
    if (first && first.length < 4) this.#received = [Buffer.concat(this.#received)];
    return 4 + (this.#received[0]?.readInt32BE(0) ?? Number.POSITIVE_INFINITY);
  }
}
