import type { RaftClock } from "../clock.ts";
import type { Checksum } from "./frame.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { type Admit, admitNobody } from "./handshake.ts";
import { Inbound } from "./inbound.ts";
import { Lingering } from "./lingering.ts";
import { defaultBounds, type LinkContext, type TransportBounds } from "./link-context.ts";
import type { ListenFailure, PeerListener, PeerNetwork } from "./network.ts";
import type { NodeFrame } from "./node-frame.ts";
import { Peer } from "./peer.ts";
import type {
  NodeIdentity,
  PeerAddress,
  PeerIdentity,
  Transport,
  TransportCounters,
  TransportEvents,
} from "./transport.ts";

export interface TcpTransportOptions {
  readonly network: PeerNetwork;
  readonly clock: RaftClock;
  /** From 0 to below 1; spreads attempts to connect. */
  readonly random: () => number;
  readonly checksum: Checksum;
  /** Where peers connect to; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Who this node is as of now, as it tells who has connected or asked: asked for each connection. */
  readonly identity: (asker?: NodeIdentity) => NodeIdentity;
  readonly events: TransportEvents;
  /** Decides about nodes that are not expected as they are: lost disks, nodes that join. Nobody, by default. */
  readonly admit?: Admit;
  readonly bounds?: Partial<TransportBounds>;
}

/** Opens the port for peers; rejects where that is not possible. */
export async function startTcpTransport(options: TcpTransportOptions): Promise<TcpTransport> {
  const transport = new TcpTransport(options);
  await transport.listen(options.listen);
  return transport;
}

/**
 * Frames over connections of a stream network, one for each direction between two nodes, with TLS or without as the
 * network has it.
 */
export class TcpTransport implements Transport {
  readonly #context: LinkContext;
  readonly #inbound: Inbound;
  readonly #peers = new Map<number, Peer>();
  /** Peers whose reset was told, until they are seen again. */
  readonly #resetTold = new Set<number>();
  #listener: PeerListener | undefined;
  #cancelTick: () => void = () => undefined;
  #lastTickMs = 0;
  #closing: Promise<void> | undefined;

  constructor(options: TcpTransportOptions) {
    const { network, clock, random, checksum, identity } = options;
    const bounds = { ...defaultBounds, ...options.bounds };
    this.#context = {
      ...{ network, clock, random, checksum, identity, bounds },
      encoder: new FrameEncoder(checksum),
      admit: options.admit ?? admitNobody,
      events: options.events,
      counters: {
        ...{ framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0 },
        ...{ framesDroppedDown: 0, framesDroppedFull: 0, connectionsRefused: 0 },
      },
      lingering: new Lingering(clock, bounds.lingerMs),
    };
    this.#inbound = new Inbound({
      context: this.#context,
      peerOf: (nodeId) => this.#peers.get(nodeId)?.address,
      onWelcome: (peer) => {
        this.#resetTold.delete(peer.nodeId);
        this.#peers.get(peer.nodeId)?.nudge();
      },
      onReset: (peer) => this.#tellReset(peer),
    });
  }

  /** The port that peers connect to; 0 before `listen`. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get counters(): TransportCounters {
    return { ...this.#context.counters };
  }

  /** Opens the port and begins to watch over the connections. Once. */
  async listen(place: { readonly host: string; readonly port: number }): Promise<void> {
    const { network, clock } = this.#context;
    const onFailure = (failure: ListenFailure) => this.#tellFailure(failure);
    this.#listener = await network.listen({ ...place, onFailure }, (socket) => this.#inbound.accept(socket));
    this.#lastTickMs = clock.monotonicMs();
    this.#scheduleTick();
  }

  setPeers(peers: readonly PeerAddress[]): void {
    if (this.#closing) return;
    const { nodeId: ownId } = this.#context.identity();
    const wanted = new Map(peers.filter(({ nodeId }) => nodeId !== ownId).map((peer) => [peer.nodeId, peer]));
    for (const [nodeId, peer] of this.#peers) {
      const address = wanted.get(nodeId);
      if (address && isSamePlace(address, peer.address)) continue;
      peer.close();
      this.#peers.delete(nodeId);
    }
    for (const address of wanted.values()) {
      if (!this.#peers.has(address.nodeId)) this.#peers.set(address.nodeId, this.#newPeer(address));
    }
    this.#inbound.judgeAgain();
  }

  isUp(nodeId: number): boolean {
    return this.#peers.get(nodeId)?.isUp ?? false;
  }

  outboxBytes(nodeId: number): number {
    return this.#peers.get(nodeId)?.outboxBytes ?? 0;
  }

  send(nodeId: number, frame: NodeFrame): boolean {
    const peer = this.#peers.get(nodeId);
    if (peer) return peer.send(frame);
    this.#context.counters.framesDroppedDown += 1;
    return false;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#cancelTick();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#inbound.close();
    await Promise.all([this.#listener?.close(), this.#context.lingering.drained()]);
  }

  #newPeer(address: PeerAddress): Peer {
    return new Peer(address, this.#context, {
      onUp: (peer) => {
        this.#resetTold.delete(peer.nodeId);
        this.#context.events.up(peer);
      },
      onReset: (peer) => this.#tellReset(peer),
    });
  }

  #scheduleTick(): void {
    const { clock, bounds } = this.#context;
    this.#cancelTick = clock.schedule(bounds.pingIntervalMs, () => {
      const nowMs = clock.monotonicMs();
      // After a pause of this node answers may wait unread: what was missed meanwhile says nothing of the peers.
      const forgives = nowMs - this.#lastTickMs > 2 * bounds.pingIntervalMs;
      this.#lastTickMs = nowMs;
      this.#scheduleTick();
      for (const peer of this.#peers.values()) peer.tick({ nowMs, forgives });
      this.#inbound.tick({ nowMs, forgives });
    });
  }

  #tellReset(peer: PeerIdentity): void {
    if (this.#resetTold.has(peer.nodeId)) return;
    this.#resetTold.add(peer.nodeId);
    this.#context.events.reset(peer);
  }

  #tellFailure({ remoteAddress, error }: ListenFailure): void {
    if (this.#closing) return;
    this.#context.counters.connectionsRefused += 1;
    this.#context.events.refused({
      ...{ direction: "inbound", by: "local", code: "stranger", nodeId: undefined, remoteAddress },
      message: `Cannot let in ${remoteAddress}: ${error.message}`,
    });
  }
}

function isSamePlace(a: PeerAddress, b: PeerAddress): boolean {
  return a.host === b.host && a.port === b.port && a.incarnation === b.incarnation;
}
