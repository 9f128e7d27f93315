import protobuf from "protobufjs";
import type { QuorumVoter } from "../../config/quorum.ts";

/** What a node tells of itself to every node that it connects with, besides who it is. */
export interface NodeCard {
  /** Where the others reach it. */
  readonly host: string;
  readonly port: number;
  /** How often its data directory was opened; a copy of an earlier state of it counts less. */
  readonly generation: number;
  /** Whether it takes itself for a voter of the metadata group. */
  readonly isVoter: boolean;
  readonly isController: boolean;
  /** Who votes in the metadata group, as far as it knows; empty while it does not. */
  readonly voters: readonly QuorumVoter[];
  /** Of its data directory: which of the node's disks it has shows in that. */
  readonly directoryId?: string;
  /** Asks to be taken with this disk in the place of one that was lost. */
  readonly replacesDisk?: boolean;
  /** In answers: which of the asking node's disks the cluster takes it for, once it does; 0 for none that replaced another. */
  readonly yourIncarnation?: number;
}

const cardType = protobuf
  .parse(`
syntax = "proto3";
message Card {
  string host = 1;
  uint32 port = 2;
  uint32 generation = 3;
  bool is_voter = 4;
  bool is_controller = 5;
  repeated Voter voters = 6;
  string directory_id = 7;
  bool replaces_disk = 8;
  uint32 your_incarnation = 9;
}
message Voter { uint32 node_id = 1; string host = 2; uint32 port = 3; }
`)
  .root.lookupType("Card");

/** A card as connections carry it. */
export function encodeCard(card: NodeCard): Uint8Array {
  return cardType.encode(cardType.fromObject(card)).finish();
}

/** Reads what `encodeCard` wrote; undefined for a node that tells nothing, or what nobody can read. */
export function decodeCard(bytes: Uint8Array | undefined): NodeCard | undefined {
  if (!bytes) return undefined;
  try {
    return cardType.toObject(cardType.decode(bytes), { defaults: true, arrays: true }) as unknown as NodeCard;
  } catch {
    return undefined;
  }
}
