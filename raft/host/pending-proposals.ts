/**
 * It is not known what becomes of something proposed: leadership was lost, or the group is gone. It may be committed
 * yet, so it must never be called a definite failure.
 */
export class IndefiniteProposalError extends Error {
  constructor(group: number) {
    super(`Cannot tell whether an entry of group ${group} is committed: its leadership has changed`);
    this.name = "IndefiniteProposalError";
  }
}

interface Waiter {
  readonly term: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Who waits for entries of one group, by index. */
export class PendingProposals {
  readonly #group: number;
  readonly #waiters = new Map<number, Waiter>();

  constructor(group: number) {
    this.#group = group;
  }

  /** Resolves when the entry is applied. @throws IndefiniteProposalError */
  wait({ index, term }: { readonly index: number; readonly term: number }): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.set(index, { term, resolve, reject }));
  }

  applied({ index, term }: { readonly index: number; readonly term: number }): void {
    if (this.#waiters.size === 0) return;
    const waiter = this.#waiters.get(index);
    if (!waiter) return;
    this.#waiters.delete(index);
    if (waiter.term === term) waiter.resolve();
    else waiter.reject(new IndefiniteProposalError(this.#group));
  }

  /** Nobody can say any more what becomes of those that wait. */
  abandon(): void {
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const { reject } of waiters) reject(new IndefiniteProposalError(this.#group));
  }
}
