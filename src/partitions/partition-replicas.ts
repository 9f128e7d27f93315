import type { Progress } from "#raft/core/progress.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { Replication } from "./commit-waiters.ts";

export interface PartitionReplicasOptions {
  /** Undefined before the partition has its group. */
  readonly group: () => RaftGroup | undefined;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  /** min.insync.replicas, as of now. */
  readonly minInsyncReplicas: () => number;
}

/** How the replicas of a partition stand, as its leader sees them; others know nothing of it. */
export class PartitionReplicas implements Replication {
  readonly #options: PartitionReplicasOptions;

  constructor(options: PartitionReplicasOptions) {
    this.#options = options;
  }

  /** Nodes whose replicas have what is committed, or are about to: what Kafka calls in sync. */
  get inSyncNodes(): number[] {
    const nodes = new Set<number>();
    for (const [replica, progress] of this.#group?.progress ?? []) {
      if (this.#isInSync(replica, progress)) nodes.add(nodeIdOf(replica));
    }
    return [...nodes];
  }

  /** Replicas in sync, of those with a vote: those that are still to join neither count nor are waited for. */
  get inSyncCount(): number {
    const group = this.#group;
    let count = 0;
    for (const voter of group?.configuration.voters ?? []) {
      const progress = group?.progress?.get(voter);
      if (progress && this.#isInSync(voter, progress)) count += 1;
    }
    return count;
  }

  /** Whether acks=all may be promised: as many replicas are in sync as the topic asks for, or as there are (KIP-966). */
  get areEnough(): boolean {
    if (this.#options.minInsyncReplicas() <= 1) return true;
    const wanted = this.#countWanted;
    return wanted <= 1 || this.inSyncCount >= wanted;
  }

  /** How many replicas must have what acks=all is answered for, where that is more than a commit says; else 0. */
  get countBeyondCommit(): number {
    if (this.#options.minInsyncReplicas() <= 1) return 0;
    const wanted = this.#countWanted;
    return wanted > Math.floor(this.#voterCount / 2) + 1 ? wanted : 0;
  }

  /** How many replicas with a vote have the log durably up to an entry. */
  replicasWith(index: number): number {
    const group = this.#group;
    if (!group?.progress) return 0;
    let count = 0;
    for (const voter of group.configuration.voters) {
      if ((group.progress.get(voter)?.matchIndex ?? 0) >= index) count += 1;
    }
    return count;
  }

  /** Where a node's log ends; -1 for one that is far behind, or has no replica. */
  endOffsetOn(nodeId: number): number {
    let endOffset = -1;
    for (const [replica, { matchIndex }] of this.#group?.progress ?? []) {
      if (nodeIdOf(replica) !== nodeId) continue;
      endOffset = Math.max(endOffset, this.#group?.nextOffsetAt(matchIndex) ?? -1);
    }
    return endOffset;
  }

  get #group(): RaftGroup | undefined {
    return this.#options.group();
  }

  get #voterCount(): number {
    return this.#group?.configuration.voters.length ?? 1;
  }

  get #countWanted(): number {
    return Math.min(this.#options.minInsyncReplicas(), this.#voterCount);
  }

  #isInSync(replica: ReplicaId, { state }: Readonly<Progress>): boolean {
    const nodeId = nodeIdOf(replica);
    return (
      nodeId === this.#group?.leaderNodeId || (state === "replicate" && this.#options.isReachable(nodeId))
    );
  }
}
