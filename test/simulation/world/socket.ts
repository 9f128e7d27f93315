import type { Socket, SocketEvents } from "#src/runtime/network.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { SimulatedProcess } from "./process.ts";

/** Bytes on their way that do not count as unsent: the buffers of both kernels. */
const windowBytes = 64 << 10;

/** How often TCP tries again while it hears nothing, and when it gives up, in µs. */
const retransmitUs = 200_000;
const giveUpUs = 15_000_000;

type Parcel = { readonly kind: "data"; readonly bytes: Buffer } | { readonly kind: "end" };

interface Outgoing {
  readonly parcel: Parcel;
  readonly sentUs: number;
  arrivalUs: number;
}

/** One end of a simulated TCP connection. What is written arrives in order, or the connection breaks. */
export class SimulatedSocket implements Socket {
  readonly host: string;
  readonly process: SimulatedProcess;
  readonly remoteAddress: string;
  readonly #network: SimulatedNetwork;
  #peer: SimulatedSocket | undefined;
  #events: SocketEvents | undefined;
  /** Arrived, and not taken: nobody listens yet, or reading is paused. */
  readonly #inbox: Parcel[] = [];
  #isReading = true;
  #isClosed = false;
  #hasEnded = false;
  #undelivered = 0;
  /** On its way to the peer, oldest first. */
  readonly #outgoing: Outgoing[] = [];

  constructor(
    network: SimulatedNetwork,
    { host, process, remoteAddress }: { host: string; process: SimulatedProcess; remoteAddress: string },
  ) {
    this.#network = network;
    this.host = host;
    this.process = process;
    this.remoteAddress = remoteAddress;
  }

  /** Makes two ends one connection. */
  static join(one: SimulatedSocket, other: SimulatedSocket): void {
    one.#peer = other;
    other.#peer = one;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get unsentBytes(): number {
    return Math.max(0, this.#undelivered - windowBytes);
  }

  listen(events: SocketEvents): void {
    this.#events = events;
    this.#take();
  }

  write(chunks: readonly Uint8Array[]): void {
    if (this.#isClosed || this.#hasEnded) return;
    // Copied at once, as the kernel does: the owner may use its memory again.
    const bytes = Buffer.concat(chunks);
    const at = this.#network.links.splitAt(bytes.length);
    const parts = at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
    for (const part of parts) {
      this.#undelivered += part.length;
      this.#post({ kind: "data", bytes: part });
    }
  }

  pause(): void {
    this.#isReading = false;
  }

  resume(): void {
    this.#isReading = true;
    this.#take();
  }

  end(): void {
    if (this.#isClosed || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#post({ kind: "end" });
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#post({ kind: "end" });
    this.#close(undefined);
  }

  /** The connection breaks: the peer, or its kernel, said so, or nobody answers. */
  break(reason: "ECONNRESET" | "ETIMEDOUT"): void {
    this.#close(Object.assign(new Error(`Connection broke: ${reason}`), { code: reason }));
  }

  /** Something between the two breaks the connection for both. */
  reset(): void {
    for (const end of [this, this.#peer]) {
      if (!end) continue;
      this.#network.after({ process: end.process, label: "reset" }, () => end.break("ECONNRESET"));
    }
  }

  /** The process of this end was killed: its kernel tells the peer, if it still can. */
  abandon(isHostAlive: boolean): void {
    this.#isClosed = true;
    this.#network.forget(this);
    const peer = this.#peer;
    if (peer && isHostAlive && !this.#network.links.isCut(this.host, peer.host)) {
      this.#network.after({ process: peer.process, label: "reset" }, () => peer.break("ECONNRESET"));
    }
  }

  #post(parcel: Parcel): void {
    const { scheduler, links } = this.#network;
    const { nowUs } = scheduler;
    this.#outgoing.push({ parcel, sentUs: nowUs, arrivalUs: nowUs + links.delayUs() });
    if (this.#outgoing.length === 1) this.#carryNext();
  }

  /** Brings the oldest parcel to the peer: nothing overtakes it. */
  #carryNext(): void {
    const next = this.#outgoing[0];
    if (!next) return;
    const { scheduler } = this.#network;
    const afterUs = next.arrivalUs - scheduler.nowUs;
    // The world's event: the network works while the receiver stands still, and learns when it is gone.
    scheduler.schedule({ afterUs, process: undefined, label: "network" }, () => this.#hand(next));
  }

  #hand(next: Outgoing): void {
    const { scheduler, links, trace } = this.#network;
    const peer = this.#peer;
    if (!peer || (peer.#isClosed && peer.process.isAlive)) {
      this.#outgoing.length = 0;
      return;
    }
    if (links.isCut(this.host, peer.host) || !this.#network.isUp(peer.host)) {
      this.#handLater(next);
      return;
    }
    if (!peer.process.isAlive) {
      // Its kernel knows of no such connection (any more).
      this.#outgoing.length = 0;
      this.#breakSoon("ECONNRESET");
      return;
    }
    if (next.parcel.kind === "data") trace.number(next.parcel.bytes.length);
    scheduler.schedule({ afterUs: 0, process: peer.process, label: "receive" }, () =>
      peer.#arrive(next.parcel),
    );
    this.#outgoing.shift();
    this.#carryNext();
  }

  /** The way is cut: TCP tries again, up to some time, as long as this host has power. */
  #handLater(next: Outgoing): void {
    const { scheduler } = this.#network;
    if (!this.#network.isUp(this.host) || scheduler.nowUs - next.sentUs > giveUpUs) {
      this.#outgoing.length = 0;
      this.#breakSoon("ETIMEDOUT");
      return;
    }
    next.arrivalUs = scheduler.nowUs + retransmitUs;
    this.#carryNext();
  }

  #breakSoon(reason: "ECONNRESET" | "ETIMEDOUT"): void {
    this.#network.after({ process: this.process, label: "reset" }, () => this.break(reason));
  }

  #arrive(parcel: Parcel): void {
    if (this.#isClosed) return;
    this.#inbox.push(parcel);
    this.#take();
  }

  #take(): void {
    const events = this.#events;
    while (events && this.#isReading && !this.#isClosed) {
      const parcel = this.#inbox.shift();
      if (!parcel) return;
      if (parcel.kind === "end") {
        this.#post({ kind: "end" });
        this.#close(undefined);
        return;
      }
      const peer = this.#peer;
      if (peer) peer.#delivered(parcel.bytes.length);
      events.data(parcel.bytes);
      // Good until `data` returned: whoever kept a view of it has garbage from now on.
      parcel.bytes.fill(0xdb);
    }
  }

  #delivered(sizeBytes: number): void {
    const wasFull = this.unsentBytes > 0;
    this.#undelivered -= sizeBytes;
    if (!wasFull || this.unsentBytes > 0 || this.#isClosed) return;
    this.#network.scheduler.schedule({ afterUs: 0, process: this.process, label: "drain" }, () => {
      if (!this.#isClosed) this.#events?.drain();
    });
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.forget(this);
    const events = this.#events;
    this.#network.scheduler.schedule({ afterUs: 0, process: this.process, label: "close" }, () =>
      events?.close(error),
    );
  }
}
