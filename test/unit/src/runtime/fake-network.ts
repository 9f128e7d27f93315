import type { Listener, ListenOptions, Network, Socket, SocketEvents } from "#src/runtime/network.ts";

/** A network inside the test: clients connect to ports that were listened on. */
export class FakeNetwork implements Network {
  readonly #accepting = new Map<number, (socket: Socket) => void>();
  #nextPort = 10_000;

  get ports(): number[] {
    return [...this.#accepting.keys()];
  }

  async listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    const port = options.port || this.#nextPort++;
    if (this.#accepting.has(port)) throw new Error(`Cannot listen on port ${port}: it is taken`);
    this.#accepting.set(port, accept);
    return {
      port,
      close: async () => {
        this.#accepting.delete(port);
      },
    };
  }

  /** Opens a connection; its bytes are handed over synchronously unless the server has paused. */
  connect(port: number, remoteAddress = "10.0.0.1"): FakeClient {
    const accept = this.#accepting.get(port);
    if (!accept) throw new Error(`Cannot connect to port ${port}: nobody listens`);
    const client = new FakeClient(remoteAddress);
    accept(client.socket);
    return client;
  }
}

/** The peer of a connection, as a test plays it. */
export class FakeClient {
  readonly socket: Socket;
  /** All that the server has sent and this client has taken. */
  received = Buffer.alloc(0);
  /** Whether the server has sent its end, or cut the connection. */
  isEnded = false;
  isClosed = false;
  #events: SocketEvents | undefined;
  #isServerPaused = false;
  #isTaking = true;
  #unsent: Buffer[] = [];
  #unread: Buffer[] = [];

  constructor(remoteAddress: string) {
    const client = this;
    this.socket = {
      remoteAddress,
      get unsentBytes() {
        return client.#unsent.reduce((sum, { length }) => sum + length, 0);
      },
      listen: (events) => {
        this.#events = events;
      },
      write: (chunks) => this.#write(chunks),
      pause: () => {
        this.#isServerPaused = true;
      },
      resume: () => {
        this.#isServerPaused = false;
        this.#deliver();
      },
      end: () => {
        this.isEnded = true;
        // As Node's sockets: a peer that answers the end with its own closes the connection, unless nobody reads that.
        if (!this.#isServerPaused) this.#close(undefined);
      },
      destroy: () => this.#close(undefined),
    };
  }

  get isServerPaused(): boolean {
    return this.#isServerPaused;
  }

  /** Bytes that the server has not read yet. */
  get unreadBytes(): number {
    return this.#unread.reduce((sum, { length }) => sum + length, 0);
  }

  /** Whole frames among what was received, without their sizes. */
  get frames(): Buffer[] {
    const frames: Buffer[] = [];
    let at = 0;
    while (at + 4 <= this.received.length && at + 4 + this.received.readInt32BE(at) <= this.received.length) {
      const end = at + 4 + this.received.readInt32BE(at);
      frames.push(this.received.subarray(at + 4, end));
      at = end;
    }
    return frames;
  }

  send(bytes: Uint8Array): void {
    this.#unread.push(Buffer.from(bytes));
    if (!this.#isServerPaused) this.#deliver();
  }

  /** Leaves what the server sends in its hands, as a peer does that does not read. */
  stopTaking(): void {
    this.#isTaking = false;
  }

  startTaking(): void {
    this.#isTaking = true;
    this.received = Buffer.concat([this.received, ...this.#unsent.splice(0)]);
    this.#events?.drain();
  }

  /** Cuts the connection from this side. */
  close(error?: Error): void {
    this.#close(error);
  }

  #write(chunks: readonly Uint8Array[]): void {
    if (this.isClosed) return;
    for (const chunk of chunks) this.#unsent.push(Buffer.from(chunk));
    if (this.#isTaking) this.received = Buffer.concat([this.received, ...this.#unsent.splice(0)]);
  }

  #deliver(): void {
    while (!this.#isServerPaused && !this.isClosed) {
      const chunk = this.#unread.shift();
      if (!chunk) break;
      this.#events?.data(chunk);
    }
    if (this.isEnded && !this.#isServerPaused) this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events?.close(error);
  }
}

/** A frame on the wire: its size before its bytes. */
export function framed(body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body);
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeInt32BE(bytes.length);
  bytes.copy(frame, 4);
  return frame;
}
