import type { EntryId } from "#raft/core/entry.ts";
import type { PartitionImage } from "./metadata-image.ts";

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

/** The nodes that are to have a replica in the end, the preferred leader first. */
export function targetOf({ replicas, move }: PartitionImage): readonly number[] {
  return move ? without(replicas, move.removing) : replicas;
}

/** The nodes that must keep a replica now. */
export function holdersOf({ replicas, move }: PartitionImage): readonly number[] {
  return move ? [...replicas, ...move.leaving] : replicas;
}

/** Whether clients are shown a reassignment of the partition. */
export function isReassigning({ move }: PartitionImage): boolean {
  return move !== undefined && move.adding.length + move.removing.length > 0;
}

/** The nodes that had a replica before the move. */
export function originOf({ replicas, move }: PartitionImage): readonly number[] {
  return move ? without(replicas, move.adding) : replicas;
}

/** The partition on its way to `target`, wherever it was going before. */
export function retargeted(partition: PartitionImage, target: readonly number[]): PartitionImage {
  const origin = originOf(partition);
  const removing = without(origin, target);
  const adding = without(target, origin);
  const replicas = [...target, ...removing];
  const leaving = without(holdersOf(partition), replicas);
  const isMoving = adding.length + removing.length + leaving.length > 0;
  return withMove(partition, replicas, isMoving ? { adding, removing, leaving } : undefined);
}

/** The partition where it was going; by the time of this entry its group did without all others. */
export function arrived(partition: PartitionImage, settledAt: EntryId | null = null): PartitionImage {
  return { ...withMove(partition, targetOf(partition), undefined), ...(settledAt && { settledAt }) };
}

function withMove(
  partition: PartitionImage,
  replicas: readonly number[],
  move: PartitionMove | undefined,
): PartitionImage {
  const { move: _, founders = partition.replicas, ...rest } = partition;
  return { ...rest, replicas, founders, ...(move && { move }) };
}

function without(nodes: readonly number[], others: readonly number[]): number[] {
  return nodes.filter((node) => !others.includes(node));
}
