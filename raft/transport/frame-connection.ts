import {
  type Checksum,
  type EncodedFrame,
  FrameError,
  type FrameLimits,
  type ReceivedFrame,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import type { PeerSocket } from "./network.ts";

export interface FrameConnectionOptions {
  readonly socket: PeerSocket;
  readonly limits: FrameLimits;
  readonly checksum: Checksum;
  /** May throw a FrameError: the frame is broken. */
  readonly onFrame: (frame: ReceivedFrame) => void;
  readonly onDrain?: () => void;
  /** At most once, and not after the connection was ended or destroyed from this side. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

/** How the other side ended a connection; broken: it sent what cannot be understood. */
export type ConnectionEnd =
  | { readonly kind: "closed"; readonly error: Error | undefined }
  | { readonly kind: "broken"; readonly error: FrameError };

/** A socket over which frames go. Once ended, from whatever side, it tells nothing any more. */
export class FrameConnection {
  readonly remoteAddress: string;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  readonly #options: FrameConnectionOptions;
  readonly #socket: PeerSocket;
  readonly #reader: FrameReader;
  readonly #whenClosed = Promise.withResolvers<void>();
  #isOver = false;
  #isClosed = false;
  #bytesReceived = 0;

  constructor(options: FrameConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.remoteAddress = options.socket.remoteAddress;
    this.closed = this.#whenClosed.promise;
    this.#reader = new FrameReader(options);
    this.#socket.listen({
      data: (chunk) => this.#take(chunk),
      drain: () => {
        if (!this.#isOver) options.onDrain?.();
      },
      close: (error) => this.#onClose(error),
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get unsentBytes(): number {
    return this.#isClosed ? 0 : this.#socket.unsentBytes;
  }

  /** All that has come in since the connection began. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  setLimits(limits: FrameLimits): void {
    this.#reader.setLimits(limits);
  }

  send(frame: EncodedFrame): void {
    if (!this.#isOver) this.#socket.write(frame.pieces);
  }

  /** Sends a last frame and what waits, then closes. Whoever calls this sees to it that it does not take for ever. */
  end(last: EncodedFrame): void {
    if (this.#isOver) return;
    this.#socket.write(last.pieces);
    this.#over();
    this.#socket.end();
  }

  /** Also ends what `end` has begun. */
  destroy(): void {
    this.#over();
    if (!this.#isClosed) this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    // After an end what still comes in is read, so that the socket can close, and left.
    if (this.#isOver) return;
    this.#bytesReceived += chunk.length;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (this.#isOver) return;
      // Whoever is told may end it with a last frame.
      this.#options.onEnd({ kind: "broken", error });
      if (!this.#isOver) this.destroy();
    }
  }

  #onClose(error: Error | undefined): void {
    this.#isClosed = true;
    this.#whenClosed.resolve();
    if (this.#isOver) return;
    this.#over();
    this.#options.onEnd({ kind: "closed", error });
  }

  #over(): void {
    this.#isOver = true;
    this.#reader.stop();
  }
}
