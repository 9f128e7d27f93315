import type {
  DialOptions,
  PeerListener,
  PeerListenOptions,
  PeerNetwork,
  PeerSocket,
  PeerSocketEvents,
} from "#raft/transport/network.ts";
import type { FakeClock } from "../../src/runtime/fake-clock.ts";

/** One end of a connection in memory; bytes take 1 ms, or for ever while the network is frozen. */
export class MemorySocket implements PeerSocket {
  readonly remoteAddress: string;
  readonly #network: MemoryNetwork;
  #other: MemorySocket | undefined;
  #events: PeerSocketEvents | undefined;
  #early: Buffer[] = [];
  #isClosed = false;
  unsentBytes = 0;

  constructor(network: MemoryNetwork, remoteAddress: string) {
    this.#network = network;
    this.remoteAddress = remoteAddress;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  join(other: MemorySocket): void {
    this.#other = other;
  }

  listen(events: PeerSocketEvents): void {
    this.#events = events;
    for (const bytes of this.#early.splice(0)) this.#network.later(this, () => this.#events?.data(bytes));
  }

  write(chunks: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const bytes = Buffer.concat(chunks);
    this.unsentBytes += bytes.length;
    this.#network.later(this, () => {
      this.unsentBytes -= bytes.length;
      this.#other?.receive(bytes);
      if (this.unsentBytes === 0) this.#events?.drain();
    });
  }

  receive(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (!this.#events) this.#early.push(bytes);
    // In memory that is used again, as that of real sockets.
    else {
      const shared = Buffer.from(bytes);
      this.#events.data(shared);
      shared.fill(0xee);
    }
  }

  end(): void {
    this.#network.later(this, () => this.destroy());
  }

  destroy(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.forget(this);
    this.#network.soon(() => this.#events?.close(error));
    const other = this.#other;
    if (other) this.#network.later(this, () => other.destroy());
  }
}

/** Connections in memory on a fake clock: every order of things is the test's. */
export class MemoryNetwork implements PeerNetwork {
  readonly #clock: FakeClock;
  readonly #acceptors = new Map<number, (socket: PeerSocket) => void>();
  readonly #open = new Set<MemorySocket>();
  #isFrozen = false;
  #lastPort = 1_000;
  /** Ports that were dialled, in order. */
  readonly dialed: number[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** From now on nothing arrives any more, not even that a connection ended; nobody is told. */
  freeze(): void {
    this.#isFrozen = true;
  }

  async listen({ port }: PeerListenOptions, accept: (socket: PeerSocket) => void): Promise<PeerListener> {
    this.#lastPort += 1;
    const taken = port || this.#lastPort;
    this.#acceptors.set(taken, accept);
    return {
      port: taken,
      close: async () => {
        this.#acceptors.delete(taken);
      },
    };
  }

  async dial({ port, signal }: DialOptions): Promise<MemorySocket> {
    this.dialed.push(port);
    if (this.#isFrozen) {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    }
    // Comes too late for a signal that is aborted meanwhile, as a real one may.
    await new Promise<void>((resolve) => this.#clock.schedule(1, resolve));
    const accept = this.#acceptors.get(port);
    if (!accept) throw new Error("connection refused");
    const [near, far] = [new MemorySocket(this, `memory:${port}`), new MemorySocket(this, "memory:dialler")];
    near.join(far);
    far.join(near);
    this.#open.add(near).add(far);
    accept(far);
    return near;
  }

  later(_: MemorySocket, callback: () => void): void {
    this.#clock.schedule(1, () => {
      if (!this.#isFrozen) callback();
    });
  }

  soon(callback: () => void): void {
    this.#clock.schedule(0, callback);
  }

  forget(socket: MemorySocket): void {
    this.#open.delete(socket);
  }
}
