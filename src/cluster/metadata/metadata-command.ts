import { strict as assert } from "node:assert";
import protobuf from "protobufjs";
import type { EntryId } from "#raft/core/entry.ts";
import type { NodeDisk } from "./node-disks.ts";

/**
 * What the metadata group agrees on, as it stands in its log. Fields are only ever added: an old log must
 * stay readable.
 */
const schema = `
syntax = "proto3";

message Command {
  oneof change {
    NameCluster name_cluster = 1;
    RegisterBroker register_broker = 2;
    CreateTopic create_topic = 3;
    AddPartitions add_partitions = 4;
    DeleteTopic delete_topic = 5;
    SetConfigs set_configs = 6;
    AllocateProducerIds allocate_producer_ids = 7;
    SetFenced set_fenced = 8;
    SetReplicas set_replicas = 9;
    CancelMove cancel_move = 10;
    CompleteMove complete_move = 11;
    ReplaceDisk replace_disk = 12;
    UnregisterBroker unregister_broker = 13;
  }
  Stamp stamp = 100;
}
message Stamp { string proposal = 1; uint64 term = 2; }

message NameCluster { string cluster_id = 1; }
message Endpoint { string listener = 1; string host = 2; uint32 port = 3; }
message RegisterBroker {
  uint32 node_id = 1;
  string incarnation = 2;
  string rack = 3;
  repeated Endpoint endpoints = 4;
  string directory_id = 5;
  bool is_fenced = 6;
  uint32 generation = 7;
  string peer_host = 8;
  uint32 peer_port = 9;
  bool is_controller_only = 10;
}
message UnregisterBroker { uint32 node_id = 1; }
message SetFenced { uint32 node_id = 1; string incarnation = 2; bool is_fenced = 3; }
message Replicas { repeated uint32 node_ids = 1; }
message CreateTopic { string name = 1; string topic_id = 2; repeated Replicas partitions = 3; map<string, string> configs = 4; }
message AddPartitions { string topic_id = 1; uint32 existing = 2; repeated Replicas partitions = 3; }
message DeleteTopic { string topic_id = 1; }
message Texts { map<string, string> texts = 1; }
message SetConfigs { string resource = 1; string name = 2; map<string, string> configs = 3; Texts expected = 4; }
message SetReplicas { string topic_id = 1; uint32 partition = 2; repeated uint32 replicas = 3; }
message CancelMove { string topic_id = 1; uint32 partition = 2; }
message CompleteMove { string topic_id = 1; uint32 partition = 2; repeated uint32 replicas = 3; EntryId settled_at = 4; }
message EntryId { uint64 index = 1; uint64 term = 2; }
message ReplaceDisk { uint32 node_id = 1; string directory_id = 2; }
message AllocateProducerIds { uint32 node_id = 1; uint32 count = 2; }

message Snapshot {
  uint64 index = 1;
  uint64 term = 2;
  string cluster_id = 3;
  uint32 next_group_id = 4;
  uint64 next_producer_id = 5;
  repeated RegisterBroker brokers = 6;
  repeated SnapshotTopic topics = 7;
  repeated SetConfigs configs = 8;
  repeated RegisterBroker controllers = 9;
  repeated Disk disks = 10;
}
message Disk { uint32 node_id = 1; string directory_id = 2; uint32 incarnation = 3; }
message SnapshotTopic { string name = 1; string topic_id = 2; repeated SnapshotPartition partitions = 3; }
message SnapshotPartition {
  uint32 group_id = 1;
  repeated uint32 replicas = 2;
  Move move = 3;
  repeated uint64 founders = 4;
  EntryId settled_at = 5;
}
message Move { repeated uint32 adding = 1; repeated uint32 removing = 2; repeated uint32 leaving = 3; }
`;

/** A change of the cluster's metadata. */
export type MetadataCommand =
  | { readonly kind: "nameCluster"; readonly clusterId: string }
  | ({ readonly kind: "registerBroker" } & BrokerRegistration)
  | {
      readonly kind: "createTopic";
      readonly name: string;
      readonly topicId: string;
      /** Node ids of the replicas of each partition. */
      readonly partitions: readonly (readonly number[])[];
      readonly configs: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "addPartitions";
      readonly topicId: string;
      /** How many partitions the proposer saw: the command changes nothing where it was wrong. */
      readonly existing: number;
      readonly partitions: readonly (readonly number[])[];
    }
  | { readonly kind: "deleteTopic"; readonly topicId: string }
  | ({
      readonly kind: "setConfigs";
      /** What was set when the proposer looked: where others are set now the command changes nothing. Null: whatever is. */
      readonly expected: { readonly texts: Readonly<Record<string, string>> } | null;
    } & ConfigOverrides)
  | { readonly kind: "allocateProducerIds"; readonly nodeId: number; readonly count: number }
  /** Which nodes are to have a partition's replicas, the preferred leader first. */
  | ({ readonly kind: "setReplicas" } & PlacedPartition)
  /** The replicas that were there before the move are to stay. */
  | { readonly kind: "cancelMove"; readonly topicId: string; readonly partition: number }
  /** The partition's group consists of these replicas; where others are wanted by now it changes nothing. */
  | ({
      readonly kind: "completeMove";
      /** An entry that the group has committed without those who leave; null in commands of before it was told. */
      readonly settledAt: EntryId | null;
    } & PlacedPartition)
  /** A node has lost its disk and comes with another; what the lost one has promised counts no more. */
  | { readonly kind: "replaceDisk"; readonly nodeId: number; readonly directoryId: string }
  /** Forgets a broker that is gone, with what was set for it. */
  | { readonly kind: "unregisterBroker"; readonly nodeId: number }
  | {
      readonly kind: "setFenced";
      readonly nodeId: number;
      /** Of the start that is meant: a broker that has started anew meanwhile is not. */
      readonly incarnation: string;
      readonly isFenced: boolean;
    };

/** Tells a command from others of the same words. */
export interface CommandStamp {
  /** The same however often the command is brought to somebody who leads. */
  readonly proposal: string;
  /** The only term in which it is to be proposed. */
  readonly term: number;
}

/** One partition of a topic, and nodes for its replicas. */
export interface PlacedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly replicas: readonly number[];
}

export interface BrokerEndpoint {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

/** A broker as it announced itself at its last start. */
export interface BrokerRegistration {
  readonly nodeId: number;
  /** Of this start of its process. */
  readonly incarnation: string;
  readonly rack: string;
  readonly endpoints: readonly BrokerEndpoint[];
  /** Of its data directory: another one is another disk. "" for a node that is alone. */
  readonly directoryId: string;
  /** It is not reached: clients are not sent to it, and no new replicas are put on it. */
  readonly isFenced: boolean;
  /** How often its data directory was opened: a directory that counts less is an older state of it. 0: not counted. */
  readonly generation?: number;
  /** Where the other nodes reach it; absent for a node that is alone. */
  readonly peerHost?: string;
  readonly peerPort?: number;
  /** It votes in the metadata group, and serves no client. */
  readonly isControllerOnly?: boolean;
}

/** All configs that are set for a resource; what is absent has its default. */
export interface ConfigOverrides {
  readonly resource: "topic" | "broker" | "group";
  /** Topic name, node id, group id; "" for all brokers. */
  readonly name: string;
  readonly configs: Readonly<Record<string, string>>;
}

/** The whole metadata state in a form that outlives the log. */
export interface MetadataSnapshot {
  readonly index: number;
  readonly term: number;
  readonly clusterId: string;
  readonly nextGroupId: number;
  readonly nextProducerId: number;
  readonly brokers: readonly BrokerRegistration[];
  /** Those that are no brokers; absent in snapshots of before there were any. */
  readonly controllers?: readonly BrokerRegistration[];
  /** Absent in snapshots of before disks were counted: each node has the one that it is registered with. */
  readonly disks?: readonly NodeDisk[];
  readonly topics: readonly {
    readonly name: string;
    readonly topicId: string;
    readonly partitions: readonly SnapshotPartition[];
  }[];
  readonly configs: readonly ConfigOverrides[];
}

/** A partition on its way to other nodes, as Kafka shows it (KIP-455). */
export interface PartitionMove {
  /** Replicas that the target has and the partition had not before. */
  readonly adding: readonly number[];
  /** Replicas that the target has no more. */
  readonly removing: readonly number[];
  /**
   * Nodes that were to get a replica for a target that was taken back. Clients are not shown them; they keep what they
   * have until the partition's group is known to do without it.
   */
  readonly leaving: readonly number[];
}

/** A partition as a snapshot has it; empty founders are its replicas. */
export interface SnapshotPartition {
  readonly groupId: number;
  readonly replicas: readonly number[];
  readonly founders?: readonly number[];
  readonly move?: PartitionMove | null;
  readonly settledAt?: EntryId | null;
}

const root = protobuf.parse(schema).root;
const commandType = root.lookupType("Command");
const snapshotType = root.lookupType("Snapshot");
const asObject = { longs: Number, defaults: true, arrays: true, objects: true } as const;

/** One command as the payload of a log entry. */
export function encodeCommand(command: MetadataCommand): Uint8Array {
  const { kind, ...fields } = command;
  return commandType.encode(commandType.fromObject({ [kind]: toWire(kind, fields) })).finish();
}

/** Bytes that a stamp adds at most. */
export const stampBytesMax = 128;

/** The encoded command with a stamp: what stands behind a message is part of it. */
export function stampCommand(payload: Uint8Array, stamp: CommandStamp): Uint8Array {
  const bytes = commandType.encode(commandType.fromObject({ stamp })).finish();
  assert(bytes.length <= stampBytesMax);
  return Buffer.concat([payload, bytes]);
}

/** The stamp of an encoded command; undefined for one without. */
export function stampOf(payload: Uint8Array): CommandStamp | undefined {
  const { stamp } = commandType.toObject(commandType.decode(payload), { longs: Number });
  if (!stamp) return undefined;
  const { proposal, term } = stamp as Partial<CommandStamp>;
  return { proposal: proposal ?? "", term: term ?? 0 };
}

/** Reads what `encodeCommand` wrote. */
export function decodeCommand(payload: Uint8Array): MetadataCommand {
  const decoded = commandType.toObject(commandType.decode(payload), {
    longs: Number,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  const kind: unknown = decoded.change;
  assert(typeof kind === "string");
  const type = root.lookupType(kind.charAt(0).toUpperCase() + kind.slice(1));
  const fields = type.toObject(type.fromObject(decoded[kind]), asObject);
  return { kind, ...fromWire(fields) } as MetadataCommand;
}

export function encodeSnapshot(snapshot: MetadataSnapshot): Uint8Array {
  return snapshotType.encode(snapshotType.fromObject(snapshot)).finish();
}

export function decodeSnapshot(payload: Uint8Array): MetadataSnapshot {
  return snapshotType.toObject(snapshotType.decode(payload), asObject) as MetadataSnapshot;
}

function toWire(kind: MetadataCommand["kind"], fields: object): object {
  if (kind !== "createTopic" && kind !== "addPartitions") return fields;
  const { partitions, ...others } = fields as { partitions: readonly (readonly number[])[] };
  return { ...others, partitions: partitions.map((nodeIds) => ({ nodeIds })) };
}

function fromWire(fields: Record<string, unknown>): object {
  const { partitions, ...others } = fields;
  if (!Array.isArray(partitions)) return fields;
  return { ...others, partitions: partitions.map((replicas: { nodeIds: number[] }) => replicas.nodeIds) };
}
