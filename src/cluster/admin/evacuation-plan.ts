import type { BrokerRegistration, PlacedPartition } from "../metadata/metadata-command.ts";
import type { MetadataImage, PartitionImage } from "../metadata/metadata-image.ts";
import { nodeStateOf, nodesForReplicas } from "../metadata/node-state.ts";
import { targetOf } from "../metadata/partition-move.ts";
import { rackOf } from "../replicas/placement.ts";

export interface EvacuationOptions {
  /** Moves that may be under way at a time, those of operators that leave the same nodes included. */
  readonly movesMax: number;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
}

/** What is to be done next for the nodes that are to be emptied. */
export interface EvacuationPlan {
  readonly moves: readonly PlacedPartition[];
  /** Partitions for whose replicas no other node is there. */
  readonly stuckCount: number;
  /** Replicas that are still on nodes which are to be emptied, by node. */
  readonly left: ReadonlyMap<number, number>;
}

interface Load {
  replicas: number;
  /** Of those, how many come first. */
  preferred: number;
}

/**
 * Gives the replicas of nodes that are decommissioned to others: to racks that the partition is not in yet first, then to
 * who has least. Partitions on their way already are left alone.
 */
export function planEvacuation(image: MetadataImage, options: EvacuationOptions): EvacuationPlan {
  const leaving = new Set(
    [...image.brokers.keys()].filter((nodeId) => nodeStateOf(image, nodeId) === "decommission"),
  );
  const left = new Map([...leaving].map((nodeId) => [nodeId, 0]));
  if (leaving.size === 0) return { moves: [], stuckCount: 0, left };

  const chooser = new Chooser(image, options);
  const waiting: { readonly topicId: string; readonly partition: PartitionImage }[] = [];
  let underWay = 0;
  for (const { id, partitions } of image.topics.values()) {
    for (const partition of partitions) {
      const leavers = partition.replicas.filter((nodeId) => leaving.has(nodeId));
      for (const nodeId of leavers) left.set(nodeId, (left.get(nodeId) ?? 0) + 1);
      if (leavers.length === 0) continue;
      if (partition.move) underWay += 1;
      else waiting.push({ topicId: id, partition });
    }
  }

  const moves: PlacedPartition[] = [];
  let stuckCount = 0;
  for (const { topicId, partition } of waiting) {
    if (underWay + moves.length >= options.movesMax) break;
    const replicas = chooser.replace(partition, leaving);
    if (replicas) moves.push({ topicId, partition: partition.index, replicas });
    else stuckCount += 1;
  }
  return { moves, stuckCount, left };
}

/** Chooses nodes for replicas, and remembers what it has given to whom. */
class Chooser {
  readonly #image: MetadataImage;
  readonly #candidates: readonly BrokerRegistration[];
  readonly #loads = new Map<number, Load>();

  constructor(image: MetadataImage, { isReachable }: EvacuationOptions) {
    this.#image = image;
    this.#candidates = nodesForReplicas(image).filter(({ nodeId }) => isReachable(nodeId));
    for (const { partitions } of image.topics.values()) {
      for (const partition of partitions) {
        for (const [at, nodeId] of targetOf(partition).entries()) this.#give(nodeId, at);
      }
    }
  }

  /** The partition's replicas with another node in each leaver's place; undefined where one has no successor. */
  replace({ replicas }: PartitionImage, leaving: ReadonlySet<number>): readonly number[] | undefined {
    const chosen = [...replicas];
    for (const [at, nodeId] of replicas.entries()) {
      if (!leaving.has(nodeId)) continue;
      const successor = this.#best(chosen, at);
      if (!successor) return undefined;
      chosen[at] = successor.nodeId;
    }
    for (const [at, nodeId] of chosen.entries()) if (nodeId !== replicas[at]) this.#give(nodeId, at);
    return chosen;
  }

  #best(replicas: readonly number[], at: number): BrokerRegistration | undefined {
    const racks = new Set(replicas.filter((_, other) => other !== at).map((nodeId) => this.#rackOf(nodeId)));
    const rank = (node: BrokerRegistration): readonly number[] => {
      const { nodeId } = node;
      const { replicas: count, preferred } = this.#loadOf(nodeId);
      return [racks.has(rackOf(node)) ? 1 : 0, at === 0 ? preferred : 0, count, nodeId];
    };
    const free = this.#candidates.filter(({ nodeId }) => !replicas.includes(nodeId));
    return free.toSorted((a, b) => compare(rank(a), rank(b)))[0];
  }

  #give(nodeId: number, at: number): void {
    const load = this.#loadOf(nodeId);
    load.replicas += 1;
    if (at === 0) load.preferred += 1;
    this.#loads.set(nodeId, load);
  }

  #loadOf(nodeId: number): Load {
    return this.#loads.get(nodeId) ?? { replicas: 0, preferred: 0 };
  }

  #rackOf(nodeId: number): string {
    return rackOf({ nodeId, rack: this.#image.brokers.get(nodeId)?.rack ?? "" });
  }
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [at, value] of left.entries()) {
    const difference = value - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
