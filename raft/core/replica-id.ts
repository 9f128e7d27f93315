import { strict as assert } from "node:assert";

/**
 * A replica of a group: a node's id and its disk's incarnation in one safe integer, so that it is compared,
 * used as a key and sent as one number. A wiped disk has another incarnation and thus is another replica.
 *
 * | bits  | field                               |
 * |-------|-------------------------------------|
 * | 0-30  | node id, as Kafka's int32, from 0   |
 * | 31-52 | incarnation, from 0                 |
 *
 * A first incarnation of 0 makes the replica's id equal to its node's.
 */
export type ReplicaId = number;

/** Stands where there is no replica: nobody voted for, no leader known. */
export const noReplica: ReplicaId = -1;

const nodeIds = 2 ** 31;

/** Incarnations are below this. */
export const incarnationsMax = 2 ** 22;

/** Packs a replica's identity. */
export function replicaId({ nodeId, incarnation }: { nodeId: number; incarnation: number }): ReplicaId {
  assert(Number.isInteger(nodeId) && nodeId >= 0 && nodeId < nodeIds);
  assert(Number.isInteger(incarnation) && incarnation >= 0 && incarnation < incarnationsMax);
  return incarnation * nodeIds + nodeId;
}

/** The Kafka node id on which a replica lives; -1 for none. */
export function nodeIdOf(replica: ReplicaId): number {
  return replica === noReplica ? -1 : replica % nodeIds;
}

/** Which of its node's disks the replica lives on. */
export function incarnationOf(replica: ReplicaId): number {
  return replica === noReplica ? 0 : Math.floor(replica / nodeIds);
}
