import { incarnationsMax, type ReplicaId, replicaId } from "#raft/core/replica-id.ts";

/** The disk that a node has now. */
export interface NodeDisk {
  readonly nodeId: number;
  /** Of its data directory, as in Kafka (KIP-858). */
  readonly directoryId: string;
  /** How many disks of the node were lost before it: what they had promised it cannot answer for. */
  readonly incarnation: number;
}

/** The disks of all nodes that were ever registered, by node. */
export type NodeDisks = ReadonlyMap<number, NodeDisk>;

/** Which of its disks a node has; the first one where none is known. */
export function incarnationOn(disks: NodeDisks, nodeId: number): number {
  return disks.get(nodeId)?.incarnation ?? 0;
}

/** A replica of a node, on the disk that it has. */
export function replicaOn(disks: NodeDisks, nodeId: number): ReplicaId {
  return replicaId({ nodeId, incarnation: incarnationOn(disks, nodeId) });
}

/** Takes down the disk that a node comes with, where none was known. */
export function withFirstDisk(
  disks: NodeDisks,
  { nodeId, directoryId }: Pick<NodeDisk, "nodeId" | "directoryId">,
): NodeDisks {
  if (directoryId === "" || disks.has(nodeId)) return disks;
  return new Map(disks).set(nodeId, { nodeId, directoryId, incarnation: 0 });
}

/** Puts a new disk in the place of the one that a node has lost. */
export function withNextDisk(disks: NodeDisks, lost: NodeDisk, directoryId: string): NodeDisks {
  const incarnation = Math.min(lost.incarnation + 1, incarnationsMax - 1);
  return new Map(disks).set(lost.nodeId, { nodeId: lost.nodeId, directoryId, incarnation });
}
