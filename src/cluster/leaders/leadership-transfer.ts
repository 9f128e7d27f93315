import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";

export interface HandOverOptions {
  readonly nodeId: number;
  readonly isReachable: (nodeId: number) => boolean;
}

export interface HandOverAllOptions extends HandOverOptions {
  /** Whether a node is meant to lead; others get what nobody else can take. */
  readonly mayLead: (nodeId: number) => boolean;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
  /** Who has not taken over by then elects a leader without being asked to. */
  readonly limitMs: number;
}

const pollMs = 5;

/** Hands everything that this node leads to replicas that follow closely; resolves once they lead, or at the limit. */
export async function handOverAll(groups: Iterable<RaftGroup>, options: HandOverAllOptions): Promise<void> {
  const { clock, limitMs } = options;
  const deadlineMs = clock.monotonicMs() + limitMs;
  let handedOver: RaftGroup[] = [];
  for (const group of groups) {
    const begun = handOverToAny(group, options) || handOverToAny(group, { ...options, mayLead: () => true });
    if (begun) handedOver.push(group);
  }
  while (handedOver.length > 0 && clock.monotonicMs() < deadlineMs) {
    await sleep(clock, pollMs);
    handedOver = handedOver.filter((group) => group.role === "leader");
  }
}

/** Begins to hand a group to a node, where that has a replica that follows closely; answers whether it was begun. */
export function handOver(group: RaftGroup, toNodeId: number, options: HandOverOptions): boolean {
  const target = followersOf(group, options).find((replica) => nodeIdOf(replica) === toNodeId);
  return target !== undefined && group.transferTo(target) === undefined;
}

/** Begins to hand a group to one of the nodes that may lead; what one node led is shared out among the others. */
export function handOverToAny(
  group: RaftGroup,
  options: HandOverOptions & Pick<HandOverAllOptions, "mayLead">,
): boolean {
  const candidates = followersOf(group, options).filter((replica) => options.mayLead(nodeIdOf(replica)));
  const target = candidates[group.id % candidates.length];
  return target !== undefined && group.transferTo(target) === undefined;
}

/** Replicas elsewhere that can take over at once; none where this node does not lead. */
function followersOf(group: RaftGroup, { nodeId, isReachable }: HandOverOptions): ReplicaId[] {
  if (!group.isSettledLeader) return [];
  const { voters } = group.configuration;
  return [...(group.progress ?? [])]
    .filter(([replica, { state, matchIndex }]) => {
      const isElsewhere = nodeIdOf(replica) !== nodeId && isReachable(nodeIdOf(replica));
      return (
        isElsewhere && voters.includes(replica) && state === "replicate" && matchIndex >= group.commitIndex
      );
    })
    .map(([replica]) => replica);
}
