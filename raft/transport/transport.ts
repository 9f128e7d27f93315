import type { NodeFrame } from "./node-frame.ts";
import type { Refusal } from "./refusal.ts";

/** A node as it is known to others: a wiped disk has another incarnation, and so is another node. */
export interface PeerIdentity {
  readonly nodeId: number;
  readonly incarnation: number;
}

/** What a node tells of itself when a connection begins. */
export interface NodeIdentity extends PeerIdentity {
  /** Empty as long as the node is in no cluster. */
  readonly clusterId: string;
  /** Of this run of the node's process: tells a node that has started anew from a second one with its id. */
  readonly processId?: string;
  /** What else it tells of itself; the transport carries it, and its owner reads it. At most 2 KiB. */
  readonly card?: Uint8Array;
}

/** A node that this one keeps a connection to. */
export interface PeerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  /** The incarnation that it must have; undefined: not known yet, any. */
  readonly incarnation: number | undefined;
}

/**
 * Why frames cannot be sent any more. reset: the peer ended the connection without a goodbye · left: it said
 * goodbye · silent: it answered no ping · broken: it sent what is no frame.
 */
export type DownCause = "reset" | "left" | "silent" | "broken";

/** What a transport tells its node, always from the event loop, never within a call of the node's. A throw is a bug and ends the process. */
export interface TransportEvents {
  /** A frame of a peer that was let in; in the order of its sending as long as one connection lasts. */
  frame(from: PeerIdentity, frame: NodeFrame): void;
  /** Frames can be sent to the peer from now on. */
  up(peer: PeerIdentity): void;
  /** Frames to the peer are dropped from now on. */
  down(peer: PeerIdentity, cause: DownCause): void;
  /** The peer ended a connection without a goodbye: its process has probably died. Comes once for both directions. */
  reset(peer: PeerIdentity): void;
  /** The outbox of the peer has drained after a frame was refused for its bound. */
  drained(nodeId: number): void;
  /** A node has connected and was let in, with what it tells of itself now. */
  met?(from: NodeIdentity): void;
  /** Somebody was not let in, or did not let this node in. */
  refused(refusal: Refusal): void;
  /** A peer could not be reached; told for the first failure in a row only. */
  unreachable(nodeId: number, error: Error): void;
}

/** What became of frames; only grows. */
export interface TransportCounters {
  readonly framesSent: number;
  readonly bytesSent: number;
  readonly framesReceived: number;
  readonly bytesReceived: number;
  /** Frames not sent because the peer was not up. */
  readonly framesDroppedDown: number;
  /** Frames not sent because the outbox was full. */
  readonly framesDroppedFull: number;
  readonly connectionsRefused: number;
}

/**
 * Frames between the nodes of a cluster: the port that TCP fills, and in tests a network in memory.
 *
 * Obligations: frames to one peer arrive in the order of `send`, each at most once, unharmed or not at all; a gap
 * is possible only where `send` answered false or the connection was lost. What waits for a peer is bounded.
 * Nothing is told after `close` was called. How many bytes one frame may have is the implementation's to say; who
 * makes them stays below, for a frame above it is a bug.
 */
export interface Transport extends AsyncDisposable {
  /**
   * Replaces the peers: new ones are connected to, those that are gone or have another incarnation are hung up on, in
   * both directions and without an event; one that has moved is connected to anew.
   */
  setPeers(peers: readonly PeerAddress[]): void;
  /** Whether frames to a peer have a chance. */
  isUp(nodeId: number): boolean;
  /** Bytes that wait to be sent to a peer. */
  outboxBytes(nodeId: number): number;
  /** Sends a frame, or drops it and answers false: the peer is not up, or has too much waiting. */
  send(nodeId: number, frame: NodeFrame): boolean;
  readonly counters: TransportCounters;
  /** Says goodbye to everybody; resolves when no connection, listener or timer is left. */
  close(): Promise<void>;
}
