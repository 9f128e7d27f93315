/** What somebody waits for: the commit of what comes before an offset, and maybe more. */
export interface CommitWaiter {
  readonly nextOffset: number;
  /** Monotonic time after which nobody waits any more; Infinity for no end. */
  readonly deadlineMs: number;
  /** Entry that more replicas than a majority must have, 0 for none. */
  readonly index: number;
  /** As many replicas must have it. */
  readonly replicaCount: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How a leader stands with its replicas. */
export interface Replication {
  /** How many replicas have the log durably up to an entry. */
  replicasWith(index: number): number;
  /** How many keep up with it. */
  readonly inSyncCount: number;
}

/** What those are told who wait in vain. */
export interface CommitWaiterErrors {
  timedOut(): Error;
  notEnoughReplicas(): Error;
}

/**
 * Who waits for commits of one partition: first for the commit itself, in the order of offsets, then, where more than
 * a majority must have it, for the others. Each leaves at its deadline at the latest.
 */
export class CommitWaiters {
  readonly #errors: CommitWaiterErrors;
  /** By next offset, ascending: proposals commit in order. */
  readonly #uncommitted: CommitWaiter[] = [];
  /** Committed, and not yet where they are to be. */
  readonly #unreplicated: CommitWaiter[] = [];

  constructor(errors: CommitWaiterErrors) {
    this.#errors = errors;
  }

  get count(): number {
    return this.#uncommitted.length + this.#unreplicated.length;
  }

  /** Whether anybody wants to hear of replicas. */
  get needsReplication(): boolean {
    return this.#unreplicated.length > 0;
  }

  add(waiter: CommitWaiter): void {
    const last = this.#uncommitted.at(-1);
    if (!last || last.nextOffset <= waiter.nextOffset) {
      this.#uncommitted.push(waiter);
      return;
    }
    // A duplicate waits for an offset that others, proposed later, are behind.
    const at = this.#uncommitted.findLastIndex((other) => other.nextOffset <= waiter.nextOffset);
    this.#uncommitted.splice(at + 1, 0, waiter);
  }

  /** Something waits for replicas that is committed already. */
  addCommitted(waiter: CommitWaiter): void {
    this.#unreplicated.push(waiter);
  }

  /** Everything below `highWatermark` is committed. */
  committedTo(highWatermark: number, replication: Replication): void {
    let count = 0;
    while ((this.#uncommitted[count]?.nextOffset ?? Infinity) <= highWatermark) count += 1;
    if (count === 0) return;
    let isAnyUnreplicated = false;
    for (const waiter of this.#uncommitted.splice(0, count)) {
      if (waiter.index === 0) {
        waiter.resolve();
      } else {
        this.#unreplicated.push(waiter);
        isAnyUnreplicated = true;
      }
    }
    if (isAnyUnreplicated) this.replicated(replication);
  }

  /** Replicas have more than before, or keep up no more: then what is committed is not where it was to be (as Kafka). */
  replicated(replication: Replication): void {
    const { inSyncCount } = replication;
    this.#leave(this.#unreplicated, ({ index, replicaCount, resolve, reject }) => {
      if (replication.replicasWith(index) >= replicaCount) resolve();
      else if (inSyncCount < replicaCount) reject(this.#errors.notEnoughReplicas());
      else return false;
      return true;
    });
  }

  /** Tells those whose time is over. */
  expire(nowMs: number): void {
    const isOver = ({ deadlineMs, reject }: CommitWaiter): boolean => {
      if (nowMs < deadlineMs) return false;
      reject(this.#errors.timedOut());
      return true;
    };
    this.#leave(this.#uncommitted, isOver);
    this.#leave(this.#unreplicated, isOver);
  }

  /** Nobody can say any more what becomes of those that wait. */
  abandon(newError: () => Error): void {
    for (const { reject } of this.#uncommitted.splice(0)) reject(newError());
    for (const { reject } of this.#unreplicated.splice(0)) reject(newError());
  }

  #leave(waiters: CommitWaiter[], isGone: (waiter: CommitWaiter) => boolean): void {
    let kept = 0;
    for (const waiter of waiters) {
      if (isGone(waiter)) continue;
      waiters[kept] = waiter;
      kept += 1;
    }
    waiters.length = kept;
  }
}
