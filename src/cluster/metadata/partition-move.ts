import type { EntryId } from "#raft/core/entry.ts";
import type { PartitionMove } from "./metadata-command.ts";
import type { PartitionImage } from "./metadata-image.ts";

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
