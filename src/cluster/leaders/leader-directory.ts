interface Scheduling {
  schedule(delayMs: number, callback: () => void): () => void;
}

/** Who leads a group, as far as this node has heard. */
export interface KnownLeader {
  readonly nodeId: number;
  /** The group's term, which is the partition's leader epoch. */
  readonly term: number;
}

/**
 * Who leads which group in the whole cluster: from this node's own replicas, and from what leaders tell. It is what
 * clients are shown, never what a decision rests on: a leader's own group knows for sure.
 */
export class LeaderDirectory {
  readonly #leaders = new Map<number, KnownLeader>();
  readonly #gone = new Set<number>();
  readonly #watchers = new Set<() => void>();

  /** The newest leader heard of; undefined where none was, or where that one is gone. */
  leaderOf(groupId: number): KnownLeader | undefined {
    const known = this.#leaders.get(groupId);
    return known && this.#gone.has(known.nodeId) ? undefined : known;
  }

  /** Takes what was heard; news of an earlier term than the one known change nothing. */
  learn(groupId: number, leader: KnownLeader): void {
    const known = this.#leaders.get(groupId);
    if (known && known.term >= leader.term) return;
    this.#leaders.set(groupId, leader);
    this.#notify();
  }

  /** A leader has stepped down: until the next is heard of there is none. */
  unlearn(groupId: number, { nodeId, term }: KnownLeader): void {
    const known = this.#leaders.get(groupId);
    if (known?.nodeId === nodeId && known.term === term) this.#leaders.delete(groupId);
  }

  /** A node's process seems to be gone, or has said goodbye: clients are not sent there until it is back. */
  setGone(nodeId: number, isGone: boolean): void {
    if (isGone) this.#gone.add(nodeId);
    else if (this.#gone.delete(nodeId)) this.#notify();
  }

  /** Groups of topics that were deleted. */
  forget(groupIds: Iterable<number>): void {
    for (const groupId of groupIds) this.#leaders.delete(groupId);
  }

  /** Calls back whenever a new leader is known, until the answer is called. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** Resolves once all groups have a leader, or `limitMs` have passed. */
  whenLed(groupIds: readonly number[], clock: Scheduling, limitMs: number): Promise<void> {
    return this.when(() => groupIds.every((groupId) => this.leaderOf(groupId)), clock, limitMs);
  }

  /** Resolves once a condition on the leaders holds, or `limitMs` have passed. */
  async when(holds: () => boolean, clock: Scheduling, limitMs: number): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = clock.schedule(limitMs, () => settle());
      const unwatch = this.watch(() => {
        if (holds()) settle();
      });
      const settle = () => {
        cancelTimer();
        unwatch();
        resolve();
      };
    });
  }

  #notify(): void {
    for (const callback of [...this.#watchers]) callback();
  }
}
