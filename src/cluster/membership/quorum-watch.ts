import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { Clock } from "../../runtime/clock.ts";
import { decodeJson, encodeJson } from "../network/json-payload.ts";
import type { NodeCalls } from "../network/node-calls.ts";

/** A replica of the metadata group as its leader sees it; wall times in ms, -1 for one that was not heard of. */
export interface QuorumReplica {
  readonly nodeId: number;
  /** Entries that it is known to have. */
  readonly logEndOffset: number;
  readonly lastHeardMs: number;
  readonly lastCaughtUpMs: number;
}

/** The metadata group as its leader sees it. An entry's offset is its index less one, so that the first has 0. */
export interface QuorumState {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

export interface QuorumWatchOptions {
  readonly nodeId: number;
  /** The metadata group; undefined before it is up. */
  readonly group: () => RaftGroup | undefined;
  /** Undefined on a node that is alone. */
  readonly calls: NodeCalls | undefined;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  readonly clock: Pick<Clock, "nowMs">;
}

interface Sighting {
  heardMs: number;
  caughtUpMs: number;
}

/** How often `look` is to be called; what it sees is no older than that. */
export const quorumLookMs = 500;
const callName = "describe-quorum";

/** Keeps, on the node that leads the metadata group, when each of its replicas was well last; any node can ask for it. */
export class QuorumWatch {
  readonly #options: QuorumWatchOptions;
  readonly #sightings = new Map<ReplicaId, Sighting>();
  #term = -1;
  /** Where the log ended at the last look: who has that much now has caught up since. */
  #lastIndex = 0;

  constructor(options: QuorumWatchOptions) {
    this.#options = options;
    options.calls?.answer(callName, async () => encodeJson(this.#describeHere() ?? null));
  }

  /** Looks at all replicas, where this node leads. */
  look(): void {
    const group = this.#leading();
    if (!group) return;
    if (group.term !== this.#term) this.#sightings.clear();
    this.#term = group.term;
    for (const replica of group.progress?.keys() ?? []) this.#see(group, replica);
    this.#lastIndex = group.lastIndex;
  }

  /** The state as the leader tells it; undefined where none is known or it does not answer. */
  async describe(limitMs: number): Promise<QuorumState | undefined> {
    const { nodeId, group, calls } = this.#options;
    const here = this.#describeHere();
    const leader = group()?.leaderNodeId ?? -1;
    if (here || leader < 0 || leader === nodeId) return here;
    const outcome = await calls?.call(leader, callName, new Uint8Array(0), limitMs);
    if (outcome?.kind !== "answered") return undefined;
    return (decodeJson(outcome.payload) as QuorumState | null) ?? undefined;
  }

  #describeHere(): QuorumState | undefined {
    const group = this.#leading();
    if (!group) return undefined;
    this.look();
    const { voters, outgoing, learners } = group.configuration;
    const all = [...new Set([...voters, ...outgoing])];
    return {
      leaderId: this.#options.nodeId,
      leaderEpoch: group.term,
      highWatermark: group.commitIndex,
      voters: all.map((replica) => this.#replica(group, replica)),
      observers: learners.map((replica) => this.#replica(group, replica)),
    };
  }

  #leading(): RaftGroup | undefined {
    const group = this.#options.group();
    return group?.isSettledLeader ? group : undefined;
  }

  #replica(group: RaftGroup, replica: ReplicaId): QuorumReplica {
    const { heardMs = -1, caughtUpMs = -1 } = this.#sightings.get(replica) ?? {};
    return {
      nodeId: nodeIdOf(replica),
      logEndOffset: group.progress?.get(replica)?.matchIndex ?? 0,
      lastHeardMs: heardMs,
      lastCaughtUpMs: caughtUpMs,
    };
  }

  #see(group: RaftGroup, replica: ReplicaId): void {
    const { nodeId, isReachable, clock } = this.#options;
    const progress = group.progress?.get(replica);
    const isSelf = nodeIdOf(replica) === nodeId;
    // A node that was paused is connected and says nothing.
    if (!progress || !(isSelf || (progress.isActive && isReachable(nodeIdOf(replica))))) return;
    const sighting = this.#sightings.get(replica) ?? { heardMs: -1, caughtUpMs: -1 };
    this.#sightings.set(replica, sighting);
    sighting.heardMs = clock.nowMs();
    if (progress.matchIndex >= Math.min(this.#lastIndex, group.lastIndex))
      sighting.caughtUpMs = clock.nowMs();
  }
}
