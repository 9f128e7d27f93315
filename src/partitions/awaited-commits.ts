import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { CommitDeadlines, Expiring } from "./commit-deadlines.ts";
import { CommitWaiters } from "./commit-waiters.ts";
import { CommitTimeoutError, NotEnoughReplicasError, PartitionClosedError } from "./partition-errors.ts";
import type { PartitionReplicas } from "./partition-replicas.ts";

/** How long somebody waits for a commit, in monotonic time, and whether for `min.insync.replicas` as well. */
export interface CommitWait {
  /** Where a majority of other nodes, or more, have to do their part for acks=all. */
  readonly deadlineMs: number;
  /** Where there is no other node, or where nobody asked for others. */
  readonly ownDeadlineMs: number;
  readonly isForAll: boolean;
}

/** What is asked of the partition whose commits are awaited. */
export interface AwaitedPartition {
  readonly name: string;
  readonly isClosed: boolean;
  readonly highWatermark: number;
  readonly replicas: PartitionReplicas;
}

export interface AwaitedCommitsOptions {
  readonly partition: AwaitedPartition;
  /** Undefined before the partition has its group. */
  readonly group: () => RaftGroup | undefined;
  /** Who ends waits; without it they end with a commit or when they are abandoned. */
  readonly deadlines: CommitDeadlines | undefined;
}

/**
 * The commits of one partition that somebody waits for. Listens to the group's progress, and to deadlines, only while
 * it has to.
 */
export class AwaitedCommits implements Expiring {
  readonly #partition: AwaitedPartition;
  readonly #group: () => RaftGroup | undefined;
  readonly #deadlines: CommitDeadlines | undefined;
  readonly #waiters: CommitWaiters;
  #isExpiryWatched = false;

  constructor({ partition, group, deadlines }: AwaitedCommitsOptions) {
    this.#partition = partition;
    this.#group = group;
    this.#deadlines = deadlines;
    this.#waiters = new CommitWaiters({
      timedOut: () => new CommitTimeoutError(partition),
      notEnoughReplicas: () => new NotEnoughReplicasError(partition),
    });
  }

  /**
   * Resolves when everything below `nextOffset` is committed and readable, and where that is waited for, when
   * `min.insync.replicas` have all that is proposed by now. Rejects where that is not so in time, or where the
   * partition is closed; else as abandoned.
   */
  when(nextOffset: number, wait: CommitWait = endlessWait): Promise<void> {
    const { replicas, highWatermark, isClosed } = this.#partition;
    const replicaCount = wait.isForAll ? replicas.countBeyondCommit : 0;
    const isCommitted = highWatermark >= nextOffset;
    if (isCommitted && replicaCount === 0) return Promise.resolve();
    if (isClosed) return Promise.reject(new PartitionClosedError(this.#partition));
    const group = this.#group();
    const isOfOthers = wait.isForAll && group !== undefined && !group.isAlone;
    const deadlineMs = isOfOthers ? wait.deadlineMs : wait.ownDeadlineMs;
    const index = replicaCount > 0 ? (group?.lastIndex ?? 0) : 0;
    return new Promise((resolve, reject) => {
      const waiter = { nextOffset, deadlineMs, index, replicaCount, resolve, reject };
      if (isCommitted) this.#waiters.addCommitted(waiter);
      else this.#waiters.add(waiter);
      if (index > 0 && group) group.onProgress = this.#noteReplication;
      if (isCommitted) this.#noteReplication();
      if (this.#isExpiryWatched || deadlineMs === Infinity) return;
      this.#isExpiryWatched = true;
      this.#deadlines?.watch(this);
    });
  }

  /** The high watermark has moved. */
  advance(): void {
    this.#waiters.committedTo(this.#partition.highWatermark, this.#partition.replicas);
  }

  /** Tells those whose time is over; answers whether anybody still waits. Replicas that went away are noticed here, too. */
  expire(nowMs: number): boolean {
    this.#waiters.expire(nowMs);
    if (this.#waiters.needsReplication) this.#noteReplication();
    this.#isExpiryWatched = this.#waiters.count > 0;
    return this.#isExpiryWatched;
  }

  /** Nobody can say any more what becomes of those that are waited for. */
  abandon(newError: () => Error): void {
    this.#waiters.abandon(newError);
  }

  #noteReplication = (): void => {
    this.#waiters.replicated(this.#partition.replicas);
    if (this.#waiters.count > 0) return;
    const group = this.#group();
    if (group) group.onProgress = undefined;
  };
}

const endlessWait: CommitWait = { deadlineMs: Infinity, ownDeadlineMs: Infinity, isForAll: false };
