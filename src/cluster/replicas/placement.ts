/** A node that replicas may be put on. */
export interface PlacementNode {
  readonly nodeId: number;
  /** "" where the node names none. */
  readonly rack: string;
}

export interface PlacementWish {
  readonly partitionCount: number;
  /** At most as many as there are nodes. */
  readonly replicationFactor: number;
  /** Where to begin: topics that are made one after the other begin at different nodes. */
  readonly start: number;
}

/**
 * Puts the replicas of partitions on nodes: leaders go round all nodes, followers follow at a distance that grows with
 * each round, and no rack gets a second replica of a partition before every rack has one.
 */
export function placeReplicas(nodes: readonly PlacementNode[], wish: PlacementWish): number[][] {
  const { partitionCount, replicationFactor, start } = wish;
  const order = alternatingRacks(nodes);
  const rackCount = new Set(order.map(rackOf)).size;
  return Array.from({ length: partitionCount }, (_, index) => {
    const first = (start + index) % order.length;
    const distance = order.length > 1 ? Math.floor((start + index) / order.length) % (order.length - 1) : 0;
    return chooseReplicas(order, { first, distance, replicationFactor, rackCount });
  });
}

function chooseReplicas(
  order: readonly PlacementNode[],
  choice: { first: number; distance: number; replicationFactor: number; rackCount: number },
): number[] {
  const { first, distance, replicationFactor, rackCount } = choice;
  const chosen: PlacementNode[] = [];
  const racks = new Set<string>();
  // The leader, then the others from `distance` behind it on.
  const others = Array.from(
    { length: order.length - 1 },
    (_, at) => order[(first + 1 + ((distance + at) % (order.length - 1))) % order.length],
  );
  const candidates = [order[first], ...others].filter((node) => node !== undefined);
  while (chosen.length < replicationFactor) {
    const isEveryRackUsed = racks.size === rackCount;
    const node = candidates.find(
      (candidate) => !chosen.includes(candidate) && (isEveryRackUsed || !racks.has(rackOf(candidate))),
    );
    if (!node) break;
    chosen.push(node);
    racks.add(rackOf(node));
  }
  return chosen.map(({ nodeId }) => nodeId);
}

/** One node of each rack in turn, so that neighbours are in different racks as long as that goes. */
function alternatingRacks(nodes: readonly PlacementNode[]): PlacementNode[] {
  const byRack = new Map<string, PlacementNode[]>();
  for (const node of [...nodes].sort((a, b) => a.nodeId - b.nodeId)) {
    const rack = rackOf(node);
    byRack.set(rack, [...(byRack.get(rack) ?? []), node]);
  }
  const racks = [...byRack.keys()].sort();
  const order: PlacementNode[] = [];
  for (let round = 0; order.length < nodes.length; round++) {
    for (const rack of racks) {
      const node = byRack.get(rack)?.[round];
      if (node) order.push(node);
    }
  }
  return order;
}

/** What tells racks apart; a node without one is a rack of its own. */
export function rackOf({ nodeId, rack }: PlacementNode): string {
  return rack === "" ? ` ${String(nodeId).padStart(10, "0")}` : rack;
}
