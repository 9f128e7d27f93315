import type { Message } from "../core/messages.ts";
import type { HeartbeatSet, HeartbeatSetAnswer } from "./heartbeat-set.ts";

/** What a node sends a peer: the words of its groups, or a piece of bulk data. */
export type NodeFrame = PassFrame | ChunkFrame;

/** All that the groups of a node have for a peer in one pass of the host. May be dropped: Raft asks again. */
export interface PassFrame {
  readonly kind: "pass";
  readonly messages: readonly GroupMessage[];
  readonly heartbeats?: HeartbeatSet;
  readonly heartbeatsAnswer?: HeartbeatSetAnswer;
}

export interface GroupMessage {
  readonly group: number;
  readonly message: Message;
}

/**
 * A piece of a stream beside Raft's messages: a catch-up, a snapshot, what is asked or answered about one. In order
 * while the connection lasts; whoever streams has to expect that it ends in between.
 */
export interface ChunkFrame {
  readonly kind: "chunk";
  /** The stream's number, given by who began it. */
  readonly stream: number;
  readonly group: number;
  /** From 0, dense within the stream. */
  readonly sequence: number;
  /** What the payload is, in the words of those who stream. */
  readonly label: string;
  readonly isLast: boolean;
  readonly payload: Uint8Array;
}
