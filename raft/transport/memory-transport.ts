import type { RaftClock } from "../clock.ts";
import { replicaId } from "../core/replica-id.ts";
import { decodeNodeFrame, encodeNodeFrame } from "./codec.ts";
import { type Checksum, type EncodedFrame, transportVersion } from "./frame.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { FrameReader } from "./frame-reader.ts";
import { type Admit, admitNobody, judgeHello, judgeWelcome } from "./handshake.ts";
import { defaultBounds } from "./link-context.ts";
import type { NodeFrame } from "./node-frame.ts";
import type {
  DownCause,
  NodeIdentity,
  PeerAddress,
  PeerIdentity,
  Transport,
  TransportCounters,
  TransportEvents,
} from "./transport.ts";

/** A frame on its way, for who decides what becomes of it. */
export interface Passage {
  readonly from: number;
  readonly to: number;
  readonly kind: NodeFrame["kind"];
  readonly sizeBytes: number;
}

/** One delay in ms for each copy that arrives; none: the frame is lost. Different delays reorder frames. */
export type Fate = readonly number[];

export interface MemoryHubOptions {
  readonly clock: RaftClock;
  readonly checksum: Checksum;
  /** Decides about each frame, once; all arrive at once and in order by default. */
  readonly fate?: (passage: Passage) => Fate;
  /** Until a lost or failed connection is tried again. */
  readonly reconnectMs?: number;
}

export interface MemoryTransportOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly identity: () => NodeIdentity;
  readonly events: TransportEvents;
  readonly admit?: Admit;
  readonly outboxBytesMax?: number;
}

const atOnce: Fate = [0];

/** A network of nodes within one process: nothing but its clock and its `fate` decides what happens when. */
export class MemoryHub {
  readonly clock: RaftClock;
  readonly checksum: Checksum;
  readonly reconnectMs: number;
  readonly #fate: (passage: Passage) => Fate;
  readonly #transports = new Map<string, MemoryTransport>();
  /** One-way partitions, as `from>to`. */
  readonly #cuts = new Set<string>();

  constructor({ clock, checksum, fate = () => atOnce, reconnectMs = 50 }: MemoryHubOptions) {
    this.clock = clock;
    this.checksum = checksum;
    this.reconnectMs = reconnectMs;
    this.#fate = fate;
  }

  /** Adds a node that others reach at the place that it listens at. */
  start(options: MemoryTransportOptions): MemoryTransport {
    const transport = new MemoryTransport(this, options);
    this.#transports.set(placeOf(options.listen), transport);
    return transport;
  }

  /** Loses all frames of one direction; nobody is told. */
  cut({ from, to }: { readonly from: number; readonly to: number }): void {
    this.#cuts.add(`${from}>${to}`);
  }

  heal({ from, to }: { readonly from: number; readonly to: number }): void {
    this.#cuts.delete(`${from}>${to}`);
  }

  /** Breaks the connections between two nodes, as a reset does; both are told and try again. */
  reset(a: number, b: number): void {
    for (const transport of this.#transports.values()) {
      const other = transport.nodeId === a ? b : a;
      if (transport.nodeId === a || transport.nodeId === b) transport.lose(other, "reset");
    }
  }

  /** Ends a node's process: no goodbye. */
  crash(transport: MemoryTransport): void {
    this.#remove(transport, "reset");
  }

  /** @internal */
  leave(transport: MemoryTransport): void {
    this.#remove(transport, "left");
  }

  /** Ends the connections of others to a node that would not let them in any more. @internal */
  judgeAgain(transport: MemoryTransport): void {
    for (const other of this.#transports.values()) {
      if (other !== transport && other.isUp(transport.nodeId) && !transport.admits(other)) {
        other.lose(transport.nodeId, "left");
      }
    }
  }

  /** @internal */
  at(address: { readonly host: string; readonly port: number }): MemoryTransport | undefined {
    return this.#transports.get(placeOf(address));
  }

  /** @internal */
  fateOf(passage: Passage): Fate {
    return this.#cuts.has(`${passage.from}>${passage.to}`) ? [] : this.#fate(passage);
  }

  #remove(transport: MemoryTransport, cause: DownCause): void {
    for (const [place, candidate] of this.#transports) {
      if (candidate === transport) this.#transports.delete(place);
    }
    transport.stop();
    for (const other of this.#transports.values()) other.lose(transport.nodeId, cause);
  }
}

/** A connection to a peer; another object each time, so that what is late for an earlier one is told apart. */
interface MemoryLink {
  readonly address: PeerAddress;
  peer: PeerIdentity | undefined;
  target: MemoryTransport | undefined;
  unsentBytes: number;
  wasFull: boolean;
  failed: boolean;
}

/** A node's side of a `MemoryHub`. Frames go through the codec, so that nodes share no object. */
export class MemoryTransport implements Transport {
  readonly nodeId: number;
  readonly #hub: MemoryHub;
  readonly #options: MemoryTransportOptions;
  readonly #encoder: FrameEncoder;
  readonly #outboxBytesMax: number;
  readonly #links = new Map<number, MemoryLink>();
  readonly #counters = {
    ...{ framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0 },
    ...{ framesDroppedDown: 0, framesDroppedFull: 0, connectionsRefused: 0 },
  };
  #isStopped = false;

  /** Made by `MemoryHub.start`. */
  constructor(hub: MemoryHub, options: MemoryTransportOptions) {
    this.#hub = hub;
    this.#options = options;
    this.nodeId = options.identity().nodeId;
    this.#encoder = new FrameEncoder(hub.checksum);
    this.#outboxBytesMax = options.outboxBytesMax ?? defaultBounds.outboxBytesMax;
  }

  get counters(): TransportCounters {
    return { ...this.#counters };
  }

  setPeers(peers: readonly PeerAddress[]): void {
    if (this.#isStopped) return;
    const wanted = new Map(
      peers.filter(({ nodeId }) => nodeId !== this.nodeId).map((peer) => [peer.nodeId, peer]),
    );
    for (const [nodeId, { address }] of this.#links) {
      const next = wanted.get(nodeId);
      const isSame = next && placeOf(next) === placeOf(address) && next.incarnation === address.incarnation;
      if (!isSame) this.#links.delete(nodeId);
    }
    for (const address of wanted.values()) {
      if (!this.#links.has(address.nodeId)) this.#connectLater(address, 0);
    }
    this.#hub.judgeAgain(this);
  }

  isUp(nodeId: number): boolean {
    return this.#links.get(nodeId)?.target !== undefined;
  }

  outboxBytes(nodeId: number): number {
    return this.#links.get(nodeId)?.unsentBytes ?? 0;
  }

  send(nodeId: number, frame: NodeFrame): boolean {
    const link = this.#links.get(nodeId);
    if (!link?.target || !link.peer) {
      this.#counters.framesDroppedDown += 1;
      return false;
    }
    const replicas = { from: replicaId(this.#options.identity()), to: replicaId(link.peer) };
    const encoded = encodeNodeFrame(frame, replicas, this.#encoder);
    if (link.unsentBytes > 0 && link.unsentBytes + encoded.sizeBytes > this.#outboxBytesMax) {
      link.wasFull = true;
      this.#counters.framesDroppedFull += 1;
      return false;
    }
    this.#counters.framesSent += 1;
    this.#counters.bytesSent += encoded.sizeBytes;
    this.#post(link, { frame, encoded });
    return true;
  }

  async close(): Promise<void> {
    if (!this.#isStopped) this.#hub.leave(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  stop(): void {
    this.#isStopped = true;
    this.#links.clear();
  }

  /** @internal */
  admits(other: MemoryTransport): boolean {
    return this.#judge(other.#options.identity(), this.nodeId) === undefined;
  }

  /** The connection to a peer is gone. @internal */
  lose(nodeId: number, cause: DownCause): void {
    const link = this.#links.get(nodeId);
    const { peer } = link ?? {};
    if (!link?.target || !peer) return;
    this.#connectLater(link.address, this.#hub.reconnectMs);
    this.#soon(() => {
      this.#options.events.down(peer, cause);
      if (cause === "reset") this.#options.events.reset(peer);
    });
  }

  /** Bytes have come in from a node. @internal */
  receive(from: PeerIdentity, bytes: Buffer): void {
    if (this.#isStopped) return;
    const reader = new FrameReader({
      limits: { bodyBytesMax: defaultBounds.frameBytesMax, envelopeBytesMax: defaultBounds.envelopeBytesMax },
      checksum: this.#hub.checksum,
      onFrame: (frame) => {
        this.#counters.framesReceived += 1;
        this.#counters.bytesReceived += bytes.length;
        this.#options.events.frame(from, decodeNodeFrame(frame));
      },
    });
    reader.push(bytes);
  }

  #post(link: MemoryLink, { frame, encoded }: { frame: NodeFrame; encoded: EncodedFrame }): void {
    const { target } = link;
    const { nodeId, incarnation } = this.#options.identity();
    const { sizeBytes } = encoded;
    const bytes = Buffer.concat(encoded.pieces);
    const fate = this.#hub.fateOf({ from: nodeId, to: link.address.nodeId, kind: frame.kind, sizeBytes });
    link.unsentBytes += sizeBytes;
    // Lost ones leave the outbox, too: they were sent.
    this.#hub.clock.schedule(fate[0] ?? 0, () => this.#sent(link, sizeBytes));
    for (const delayMs of fate) {
      this.#hub.clock.schedule(delayMs, () => {
        // What is under way when a connection breaks is lost with it.
        if (link.target === target && this.#links.get(link.address.nodeId) === link) {
          target?.receive({ nodeId, incarnation }, bytes);
        }
      });
    }
  }

  #sent(link: MemoryLink, sizeBytes: number): void {
    link.unsentBytes -= sizeBytes;
    if (link.unsentBytes > 0 || !link.wasFull) return;
    link.wasFull = false;
    if (this.#links.get(link.address.nodeId) === link) this.#options.events.drained(link.address.nodeId);
  }

  #connectLater(address: PeerAddress, delayMs: number, failed = false): void {
    const link: MemoryLink = {
      ...{ address, peer: undefined, target: undefined, unsentBytes: 0, wasFull: false },
      failed,
    };
    this.#links.set(address.nodeId, link);
    this.#hub.clock.schedule(delayMs, () => {
      if (!this.#isStopped && this.#links.get(address.nodeId) === link) this.#connect(link);
    });
  }

  #connect(link: MemoryLink): void {
    const { address } = link;
    const { events } = this.#options;
    const target = this.#hub.at(address);
    if (!target) {
      this.#connectLater(address, this.#hub.reconnectMs, true);
      const place = placeOf(address);
      if (!link.failed)
        events.unreachable(address.nodeId, new Error(`Cannot connect to ${place}: nobody listens`));
      return;
    }
    const refusal =
      target.#judge(this.#options.identity(), address.nodeId) ?? this.#judgeTarget(target, address);
    if (refusal) {
      this.#counters.connectionsRefused += 1;
      this.#connectLater(address, this.#hub.reconnectMs, true);
      if (link.failed) return;
      const { nodeId } = address;
      events.refused({
        direction: "outbound",
        by: "remote",
        remoteAddress: placeOf(address),
        nodeId,
        ...refusal,
      });
      return;
    }
    const { nodeId, incarnation } = target.#options.identity();
    link.target = target;
    link.peer = { nodeId, incarnation };
    events.up(link.peer);
  }

  #judge(from: NodeIdentity, toNodeId: number) {
    const { identity, admit = admitNobody } = this.#options;
    const hello = { versionMin: transportVersion, versionMax: transportVersion, from, toNodeId };
    return judgeHello(hello, { own: identity(), peer: this.#links.get(from.nodeId)?.address, admit });
  }

  #judgeTarget(target: MemoryTransport, address: PeerAddress) {
    const { identity, admit = admitNobody } = this.#options;
    const welcome = { version: transportVersion, from: target.#options.identity() };
    return judgeWelcome(welcome, { own: identity(), peer: address, admit });
  }

  #soon(tell: () => void): void {
    this.#hub.clock.schedule(0, () => {
      if (!this.#isStopped) tell();
    });
  }
}

function placeOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}
