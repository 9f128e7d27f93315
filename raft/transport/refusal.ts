import type { FrameError } from "./frame.ts";

/**
 * Why two nodes do not talk.
 *
 * | code           | what was found                                                     |
 * |----------------|--------------------------------------------------------------------|
 * | stranger       | something that does not speak this protocol                        |
 * | damaged        | a frame that was changed on its way, or cannot be decoded          |
 * | version        | no version of the protocol that both speak                         |
 * | foreignCluster | a node of another cluster                                          |
 * | reusedNodeId   | a node with the id of this one                                     |
 * | wrongNode      | the address belongs to another node than the one that was dialled  |
 * | incarnation    | the node has another disk than the one that is expected            |
 * | unknownNode    | nobody knows this node                                             |
 * | silent         | nothing was said in time                                           |
 * | crowded        | too many connections of which nobody has said who they are         |
 */
export const refusalCodes = [
  "stranger",
  "damaged",
  "version",
  "foreignCluster",
  "reusedNodeId",
  "wrongNode",
  "incarnation",
  "unknownNode",
  "silent",
  "crowded",
] as const;

export type RefusalCode = (typeof refusalCodes)[number];

/** A connection that did not come about, or had to be ended, for what the other side is or does. */
export interface Refusal {
  /** inbound: it came to this node · outbound: this node had dialled. */
  readonly direction: "inbound" | "outbound";
  /** local: this node refused · remote: the other one did, in the words of `message`. */
  readonly by: "local" | "remote";
  readonly code: RefusalCode;
  readonly remoteAddress: string;
  /** Who it said it is, or was dialled as; undefined where nothing was said. */
  readonly nodeId: number | undefined;
  /** For the log: what cannot be done and why. */
  readonly message: string;
}

/** What a side that refuses tells the other. */
export interface RefusalReason {
  readonly code: RefusalCode;
  readonly message: string;
}

/** What a frame that cannot be read tells of who sent it. */
export function refusalCodeOf(error: FrameError): RefusalCode {
  switch (error.code) {
    case "version":
      return "version";
    case "stranger":
    case "unexpected":
    case "size":
      return "stranger";
    case "checksum":
    case "envelope":
      return "damaged";
    default:
      return error.code satisfies never;
  }
}
