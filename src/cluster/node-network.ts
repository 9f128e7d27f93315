import type { Logger } from "pino";
import type { Checksum } from "#raft/transport/frame.ts";
import type { PeerNetwork } from "#raft/transport/network.ts";
import type { NodeFrame } from "#raft/transport/node-frame.ts";
import { TcpTransport } from "#raft/transport/tcp-transport.ts";
import type {
  DownCause,
  NodeIdentity,
  PeerAddress,
  PeerIdentity,
  Transport,
} from "#raft/transport/transport.ts";
import type { QuorumConfig } from "../config/quorum.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Identity } from "../runtime/identity.ts";
import { NodeCalls } from "./node-calls.ts";

/** What a node's replication groups want to hear of the network. */
export interface FrameReceiver {
  receive(from: PeerIdentity, frame: NodeFrame): void;
  /** A peer has left, or its process has probably died. */
  lost(peer: PeerIdentity): void;
}

/** What else is told about peers. */
export interface PeerWatcher {
  up(nodeId: number): void;
  drained(nodeId: number): void;
}

export interface NodeNetworkOptions {
  readonly nodeId: number;
  readonly quorum: QuorumConfig;
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly checksum: Checksum;
  readonly logger: Logger;
  /** This node's cluster and directory as of now. */
  readonly own: () => { readonly clusterId: string; readonly directoryId: string };
  /** The directory with which a node is registered; undefined or "" for none. */
  readonly directoryOf: (nodeId: number) => string | undefined;
}

const incarnationBits = 22;

/**
 * The connections with the other nodes of the cluster: keeps strangers and foreign disks out, and hands frames to whom
 * they belong.
 *
 * A node's incarnation, on these connections, is a checksum of its directory's id: a wiped disk has another one.
 */
export class NodeNetwork {
  readonly transport: Transport;
  readonly calls: NodeCalls;
  readonly #options: NodeNetworkOptions;
  readonly #tcp: TcpTransport;
  /** What each peer's incarnation must be, by node. */
  readonly #pinned = new Map<number, number>();
  #receiver: FrameReceiver | undefined;
  #watcher: PeerWatcher | undefined;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    const { network, clock, identity, checksum, quorum, logger } = options;
    this.#tcp = new TcpTransport({
      network,
      clock,
      random: () => identity.newFraction(),
      checksum,
      listen: quorum.listener,
      identity: () => this.#own(),
      events: {
        frame: (from, frame) => this.#take(from, frame),
        up: (peer) => this.#up(peer),
        down: (peer, cause) => this.#down(peer, cause),
        reset: (peer) => this.#receiver?.lost(peer),
        drained: (nodeId) => this.#watcher?.drained(nodeId),
        refused: (refusal) => logger.warn({ refusal }, refusal.message),
        unreachable: (nodeId, err) => logger.warn({ err, peer: nodeId }, "cannot reach a node"),
      },
      admit: (stranger, expected) => this.#refusalOf(stranger, expected),
    });
    this.transport = this.#tcp;
    this.calls = new NodeCalls({
      send: (nodeId, frame) => this.#tcp.send(nodeId, frame),
      clock,
      onError: (err) => logger.error({ err }, "cannot answer another node"),
    });
  }

  /** Whom frames and news of peers go to; before `open`. */
  attach({ receiver, watcher }: { receiver: FrameReceiver; watcher: PeerWatcher }): void {
    this.#receiver = receiver;
    this.#watcher = watcher;
  }

  /** Opens the port and begins to connect with the others. */
  async open(): Promise<void> {
    await this.#tcp.listen(this.#options.quorum.listener);
    this.#setPeers();
  }

  /** The other nodes that frames can be sent to now. */
  reachable(): number[] {
    const { quorum, nodeId } = this.#options;
    return quorum.voters
      .map((voter) => voter.nodeId)
      .filter((other) => other !== nodeId && this.#tcp.isUp(other));
  }

  isUp(nodeId: number): boolean {
    return this.#tcp.isUp(nodeId);
  }

  /** Says goodbye to everybody. */
  async close(): Promise<void> {
    this.calls.close();
    await this.#tcp.close();
  }

  #own(): NodeIdentity {
    const { clusterId, directoryId } = this.#options.own();
    return { nodeId: this.#options.nodeId, clusterId, incarnation: this.#incarnationOf(directoryId) };
  }

  #take(from: PeerIdentity, frame: NodeFrame): void {
    if (frame.kind === "chunk" && this.calls.take(from.nodeId, frame)) return;
    this.#receiver?.receive(from, frame);
  }

  #up(peer: PeerIdentity): void {
    this.#options.logger.info({ peer: peer.nodeId }, "connected with a node");
    this.#watcher?.up(peer.nodeId);
  }

  #down(peer: PeerIdentity, cause: DownCause): void {
    this.#options.logger.warn({ peer: peer.nodeId, cause }, "lost the connection with a node");
    this.calls.lost(peer.nodeId);
    if (cause === "left") this.#receiver?.lost(peer);
    // Whoever comes back must be the one that is registered. While it is connected that would cut the connection.
    this.#setPeers();
  }

  #setPeers(): void {
    const { quorum, directoryOf, nodeId: ownId } = this.#options;
    const peers = quorum.voters
      .filter(({ nodeId }) => nodeId !== ownId)
      .map((voter): PeerAddress => {
        const directoryId = directoryOf(voter.nodeId) ?? "";
        const known = this.#pinned.get(voter.nodeId);
        const canPin = directoryId !== "" && !this.#tcp.isUp(voter.nodeId);
        const incarnation = canPin ? this.#incarnationOf(directoryId) : known;
        if (incarnation !== undefined) this.#pinned.set(voter.nodeId, incarnation);
        return { ...voter, incarnation };
      });
    this.#tcp.setPeers(peers);
  }

  /** Judges a node that is not in this one's cluster yet, or not the one that is expected. */
  #refusalOf(stranger: NodeIdentity, expected: PeerAddress | undefined): string | undefined {
    if (!expected) return "controller.quorum.voters does not name it";
    const directoryId = this.#options.directoryOf(stranger.nodeId) ?? "";
    const incarnation = directoryId === "" ? expected.incarnation : this.#incarnationOf(directoryId);
    if (incarnation === undefined || incarnation === stranger.incarnation) return undefined;
    return "it comes with another data directory than the one that it is registered with: a disk that was wiped or replaced must not pass for the old one";
  }

  #incarnationOf(directoryId: string): number {
    return this.#options.checksum(new TextEncoder().encode(directoryId)) % 2 ** incarnationBits;
  }
}
