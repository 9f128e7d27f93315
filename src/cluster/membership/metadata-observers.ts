import type { MembershipStep } from "#raft/core/membership.ts";
import type { ReplicaId } from "#raft/core/replica-id.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";

export interface MetadataObserversOptions {
  /** The metadata group; undefined before it is up. */
  readonly group: () => RaftGroup | undefined;
  /** Nodes that are registered. */
  readonly registered: () => Iterable<number>;
  /** Nodes that can be talked to now. */
  readonly reachable: () => Iterable<number>;
  /** The replica of a node, on the disk that it has. */
  readonly replicaOn: (nodeId: number) => ReplicaId;
}

/**
 * On the node that leads the metadata group: lets every node without a vote follow it as a learner. A node has to follow
 * before it can register, and does so until it is unregistered.
 */
export class MetadataObservers {
  readonly #options: MetadataObserversOptions;

  constructor(options: MetadataObserversOptions) {
    this.#options = options;
  }

  /** Takes in who has come and leaves out who has gone; called whenever a node comes, and from time to time. */
  check(): void {
    const group = this.#options.group();
    if (!group?.isSettledLeader) return;
    const steps = this.#stepsFor(group);
    // One change after the other: what cannot be begun now is looked at again.
    if (steps.length > 0) group.changeMembership({ kind: "auto", steps });
  }

  #stepsFor({ configuration }: RaftGroup): MembershipStep[] {
    const { registered, reachable, replicaOn } = this.#options;
    const voters = new Set([...configuration.voters, ...configuration.outgoing]);
    const learners = new Set([...configuration.learners, ...configuration.learnersNext]);
    const nodes = [...registered(), ...reachable()].map(replicaOn);
    const wanted = new Set(nodes.filter((replica) => !voters.has(replica)));
    return [
      ...[...wanted]
        .filter((replica) => !learners.has(replica))
        .map((replica) => ({ kind: "addLearner" as const, replica })),
      ...[...learners]
        .filter((replica) => !wanted.has(replica))
        .map((replica) => ({ kind: "remove" as const, replica })),
    ];
  }
}
