import type { NodeIdentity, PeerAddress } from "#raft/transport/transport.ts";
import type { QuorumVoter } from "../../config/quorum.ts";
import type { BrokerRegistration } from "../metadata/metadata-command.ts";
import type { NodeCard } from "./node-card.ts";

export interface KnownNodesOptions {
  readonly nodeId: number;
  /** The voters of the metadata group that the operator has written down for this node. */
  readonly voters: readonly QuorumVoter[];
  /** Those that it has learned from other nodes. */
  readonly learned: () => readonly QuorumVoter[];
  /** All nodes that are registered. */
  readonly registrations: () => Iterable<BrokerRegistration>;
}

/** Where a node is reached. */
export type NodePlace = Pick<PeerAddress, "host" | "port">;

/** Nodes that have introduced themselves and are not registered yet; the one that came first goes for a new one. */
const newcomersMax = 16;

/**
 * Who the other nodes are and where: those that this one was told of at its start, those that are registered, and those
 * that have introduced themselves and will register soon. What a node says of itself counts for more than where it was
 * registered, and what the operator wrote for most.
 */
export class KnownNodes {
  readonly #options: KnownNodesOptions;
  /** What nodes said last, in the order of their coming. */
  readonly #introduced = new Map<number, NodePlace>();

  constructor(options: KnownNodesOptions) {
    this.#options = options;
  }

  /** All other nodes with their places. */
  places(): Map<number, NodePlace> {
    const { nodeId, voters, learned, registrations } = this.#options;
    const places = new Map<number, NodePlace>(learned().map((voter) => [voter.nodeId, placeOf(voter)]));
    for (const { nodeId: other, peerHost = "", peerPort = 0 } of registrations()) {
      if (peerHost !== "") places.set(other, { host: peerHost, port: peerPort });
    }
    for (const [other, place] of this.#introduced) places.set(other, place);
    for (const voter of voters) places.set(voter.nodeId, placeOf(voter));
    places.delete(nodeId);
    return places;
  }

  /** A node was let in; answers whether that changes where it is looked for. */
  introduce({ nodeId }: NodeIdentity, { host, port }: NodeCard): boolean {
    const known = this.places().get(nodeId);
    if (host === "" || port === 0 || (known?.host === host && known.port === port)) return false;
    this.#introduced.delete(nodeId);
    this.#introduced.set(nodeId, { host, port });
    this.#makeRoom();
    const place = this.places().get(nodeId);
    return place?.host !== known?.host || place?.port !== known?.port;
  }

  /** The connection with a node is gone: one that has not registered is forgotten. */
  lost(nodeId: number): void {
    if (!this.#isRegistered(nodeId)) this.#introduced.delete(nodeId);
  }

  #makeRoom(): void {
    const newcomers = [...this.#introduced.keys()].filter((nodeId) => !this.#isRegistered(nodeId));
    for (const nodeId of newcomers.slice(0, -newcomersMax)) this.#introduced.delete(nodeId);
  }

  #isRegistered(nodeId: number): boolean {
    for (const registration of this.#options.registrations()) {
      if (registration.nodeId === nodeId) return true;
    }
    return false;
  }
}

function placeOf({ host, port }: QuorumVoter): NodePlace {
  return { host, port };
}
