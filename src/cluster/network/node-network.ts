import type { Logger } from "pino";
import { askWho } from "#raft/transport/ask-who.ts";
import type { Checksum } from "#raft/transport/frame.ts";
import type { AdmitContext } from "#raft/transport/handshake.ts";
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
import type { HostPort } from "../../config/host-port.ts";
import type { Listener } from "../../config/listeners.ts";
import type { QuorumVoter } from "../../config/quorum.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Identity } from "../../runtime/identity.ts";
import type { BrokerRegistration } from "../metadata/metadata-command.ts";
import type { NodeDisk } from "../metadata/node-disks.ts";
import type { KnownNodes, NodePlace } from "./known-nodes.ts";
import { NodeCalls } from "./node-calls.ts";
import { decodeCard, encodeCard, type NodeCard } from "./node-card.ts";
import type { NodeAnswer } from "./quorum-search.ts";
import { RefusalLog } from "./refusal-log.ts";

/** What a node's replication groups want to hear of the network. */
export interface FrameReceiver {
  receive(from: PeerIdentity, frame: NodeFrame): void;
  /** A peer has left, or its process has probably died. */
  lost(peer: PeerIdentity): void;
}

/** What else is told about peers. */
export interface PeerWatcher {
  up(nodeId: number): void;
  down(nodeId: number, cause: DownCause): void;
  drained(nodeId: number): void;
}

export interface NodeNetworkOptions {
  readonly nodeId: number;
  /** Of this run of this node's process. */
  readonly processId: string;
  /** Where this node takes the connections of the others, and under which host they reach it. */
  readonly listener: Listener;
  readonly host: string;
  readonly nodes: KnownNodes;
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly checksum: Checksum;
  readonly logger: Logger;
  /** This node as of now. */
  readonly own: () => OwnState;
  readonly registrationOf: (nodeId: number) => BrokerRegistration | undefined;
  readonly diskOf: (nodeId: number) => NodeDisk | undefined;
  /** A node has come with a disk that is to replace the one that it had. */
  readonly replaceDisk: (nodeId: number, directoryId: string) => void;
  /** Whether a node votes in the metadata group; undefined while that is not known here. */
  readonly isVoter: (nodeId: number) => boolean | undefined;
}

/** What a node tells others of itself that changes while it runs. */
export interface OwnState {
  readonly clusterId: string;
  readonly directoryId: string;
  readonly generation: number;
  readonly isVoter: boolean;
  readonly isController: boolean;
  readonly voters: readonly QuorumVoter[];
  readonly incarnation: number;
  readonly replacesDisk: boolean;
}

const askTimeoutMs = 1_000;

/**
 * The connections with the other nodes of the cluster: keeps strangers and foreign disks out, and hands frames to whom
 * they belong.
 *
 * Which of its disks a node has, the metadata group counts. A node that counts more than is known here has been given
 * that number by a majority, and this one will hear of it; one that counts less, or as many with another directory, has
 * a disk that was lost or wiped.
 */
export class NodeNetwork {
  readonly transport: Transport;
  readonly calls: NodeCalls;
  readonly #options: NodeNetworkOptions;
  readonly #tcp: TcpTransport;
  /** What each peer's incarnation must be, by node. */
  readonly #pinned = new Map<number, number>();
  /** What it is of those that are connected. */
  readonly #connected = new Map<number, number>();
  readonly #refusals: RefusalLog;
  #receiver: FrameReceiver | undefined;
  #watcher: PeerWatcher | undefined;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    const { network, clock, identity, checksum, listener, logger } = options;
    this.#refusals = new RefusalLog(logger, clock);
    this.#tcp = new TcpTransport({
      network,
      clock,
      random: () => identity.newFraction(),
      checksum,
      listen: listener,
      identity: (asker) => this.#own(asker),
      events: {
        frame: (from, frame) => this.#take(from, frame),
        up: (peer) => this.#up(peer),
        met: (peer) => this.#meet(peer),
        down: (peer, cause) => this.#down(peer, cause),
        reset: (peer) => this.#reset(peer),
        drained: (nodeId) => this.#watcher?.drained(nodeId),
        refused: (refusal) => this.#refusals.tell(refusal),
        unreachable: (nodeId, err) => logger.warn({ err, peer: nodeId }, "cannot reach a node"),
      },
      admit: (stranger, expected, context) => this.#refusalOf(stranger, expected, context),
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

  /** Opens the port: from here on this node can be asked who it is, and `refreshPeers` connects. */
  async listen(): Promise<void> {
    await this.#tcp.listen(this.#options.listener);
  }

  /** Asks who is at an address. Rejects, with the reason, where nobody is, or nobody who tells. */
  async ask({ host, port }: HostPort): Promise<NodeAnswer> {
    const { network, clock, checksum, nodes } = this.#options;
    const own = this.#own();
    const answer = await askWho({ network, clock, checksum, own, host, port, timeoutMs: askTimeoutMs });
    const card = decodeCard(answer.card);
    if (!card) throw new Error(`Cannot ask who is at ${host}:${port}: it does not tell`);
    if (answer.nodeId !== own.nodeId) nodes.introduce(answer, card);
    const { nodeId, processId = "", clusterId } = answer;
    return { nodeId, processId, clusterId, card };
  }

  /** Where the other nodes reach this one; once it is open. */
  get place(): NodePlace {
    return { host: this.#options.host, port: this.#tcp.port };
  }

  /** The other nodes that frames can be sent to now. */
  reachable(): number[] {
    return [...this.#options.nodes.places().keys()].filter((other) => this.#tcp.isUp(other));
  }

  isUp(nodeId: number): boolean {
    return this.#tcp.isUp(nodeId);
  }

  /** Which of its disks a node has that frames can be sent to now. */
  incarnationOf(nodeId: number): number | undefined {
    return this.#connected.get(nodeId);
  }

  /** Says goodbye to everybody. */
  async close(): Promise<void> {
    this.calls.close();
    this.#refusals.close();
    await this.#tcp.close();
  }

  /** Connects with the nodes that are known now, and hangs up on those that are not any more. */
  refreshPeers(): void {
    const { nodes, diskOf } = this.#options;
    const peers = [...nodes.places()].map(([nodeId, place]): PeerAddress => {
      const counted = diskOf(nodeId)?.incarnation;
      const connected = this.#tcp.isUp(nodeId) ? this.#connected.get(nodeId) : undefined;
      // Another pin cuts the connection, which only that with a lost disk deserves.
      const isFine = connected !== undefined && connected >= (counted ?? 0);
      if (counted !== undefined && !isFine) this.#pinned.set(nodeId, counted);
      return { nodeId, ...place, incarnation: this.#pinned.get(nodeId) };
    });
    this.#tcp.setPeers(peers);
  }

  #own(asker?: NodeIdentity): NodeIdentity {
    const { nodeId, processId, own } = this.#options;
    const { clusterId, incarnation, ...told } = own();
    const yourIncarnation = asker ? this.#incarnationOfAsker(asker) : 0;
    return {
      ...{ nodeId, clusterId, processId, incarnation },
      card: encodeCard({ ...this.place, ...told, yourIncarnation }),
    };
  }

  /** What a node that replaces its disk is to call itself; 0 as long as the cluster has not agreed to that. */
  #incarnationOfAsker({ nodeId, card: bytes }: NodeIdentity): number {
    const card = decodeCard(bytes);
    const disk = this.#options.diskOf(nodeId);
    if (!card?.replacesDisk || !disk) return 0;
    if (disk.directoryId === card.directoryId) return disk.incarnation;
    if (card.directoryId) this.#options.replaceDisk(nodeId, card.directoryId);
    return 0;
  }

  #take(from: PeerIdentity, frame: NodeFrame): void {
    if (frame.kind === "chunk" && this.calls.take(from.nodeId, frame)) return;
    this.#receiver?.receive(from, frame);
  }

  #up(peer: PeerIdentity): void {
    this.#options.logger.info({ peer: peer.nodeId }, "connected with a node");
    this.#connected.set(peer.nodeId, peer.incarnation);
    this.#watcher?.up(peer.nodeId);
  }

  /** Whoever connects here is connected with in turn: frames go over a connection of one's own. */
  #meet(peer: NodeIdentity): void {
    const card = decodeCard(peer.card);
    if (card && this.#options.nodes.introduce(peer, card)) this.refreshPeers();
  }

  #down(peer: PeerIdentity, cause: DownCause): void {
    this.#options.logger.warn({ peer: peer.nodeId, cause }, "lost the connection with a node");
    this.calls.lost(peer.nodeId);
    this.#connected.delete(peer.nodeId);
    this.#watcher?.down(peer.nodeId, cause);
    if (cause === "left") this.#receiver?.lost(peer);
    this.#options.nodes.lost(peer.nodeId);
    // Whoever comes back must be the one that is registered.
    this.refreshPeers();
  }

  #reset(peer: PeerIdentity): void {
    this.#options.nodes.lost(peer.nodeId);
    this.#receiver?.lost(peer);
  }

  /** Judges what no rule of the transport does: whether a node and its disk are who they say. */
  #refusalOf(
    node: NodeIdentity,
    expected: PeerAddress | undefined,
    { isQuestion }: AdmitContext,
  ): string | undefined {
    const { registrationOf, diskOf, isVoter } = this.#options;
    const card = decodeCard(node.card);
    if (isQuestion && card?.replacesDisk) return undefined;
    const disk = diskOf(node.nodeId);
    if (disk && !isDisk(disk, node, card)) {
      return "it comes with another data directory than the one that it is registered with: a disk that was wiped or replaced must not pass for the old one; to go on without what was on it, start the node once with millrace.recovery.replace.disk=true";
    }
    const registration = registrationOf(node.nodeId);
    if (registration && isOlder(node, card, registration)) {
      return "its data directory is an older state of the one that it is registered with, a restored copy maybe: it has forgotten what it promised since";
    }
    if (!expected && !card) return "it is not among the nodes of the cluster";
    if (card?.isVoter && isVoter(node.nodeId) === false) {
      return "it takes itself for a voter of the metadata group, and is none: controller.quorum.voters must be the same on all nodes";
    }
    return undefined;
  }
}

/** Whether a node has the disk that is known of it, or a later one. */
function isDisk(disk: NodeDisk, { incarnation }: NodeIdentity, card: NodeCard | undefined): boolean {
  if (incarnation > disk.incarnation) return true;
  return incarnation === disk.incarnation && (!card || card.directoryId === disk.directoryId);
}

/** Whether a node counts less starts than are registered of it, and is not the very start that is. */
function isOlder(node: NodeIdentity, card: NodeCard | undefined, registration: BrokerRegistration): boolean {
  if (!card || card.generation === 0 || node.processId === registration.incarnation) return false;
  // Another disk has a count of its own.
  if (card.directoryId !== registration.directoryId) return false;
  return card.generation <= (registration.generation ?? 0);
}
