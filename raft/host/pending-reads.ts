/** A linearizable read could not be confirmed: no leader is known, it has changed, or a majority does not answer. */
export class ReadUnconfirmedError extends Error {
  constructor(group: number) {
    super(`Cannot confirm a read of group ${group}: a majority does not answer for its leader`);
    this.name = "ReadUnconfirmedError";
  }
}

interface Read {
  readonly startedTick: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
  /** Once confirmed: what has to be applied before it resolves. */
  index: number | undefined;
}

/** Reads of one group that wait for their confirmation, and then for the state machine. */
export class PendingReads {
  readonly #group: number;
  readonly #reads = new Map<number, Read>();
  #nextContext = 1;
  #now = 0;

  constructor(group: number) {
    this.#group = group;
  }

  /** Begins a read under the number that `ask` gets, unless it says no. @throws ReadUnconfirmedError */
  begin(ask: (context: number) => boolean): Promise<number> {
    const context = this.#nextContext;
    this.#nextContext += 1;
    if (!ask(context)) return Promise.reject(new ReadUnconfirmedError(this.#group));
    return new Promise((resolve, reject) => {
      this.#reads.set(context, { startedTick: this.#now, resolve, reject, index: undefined });
    });
  }

  confirmed(context: number, index: number): void {
    const read = this.#reads.get(context);
    if (read) read.index = index;
  }

  /** The state machine has everything up to `index`. */
  appliedTo(index: number): void {
    if (this.#reads.size === 0) return;
    for (const [context, read] of this.#reads) {
      if (read.index === undefined || read.index > index) continue;
      this.#reads.delete(context);
      read.resolve(read.index);
    }
  }

  /** Gives up on reads that got no answer for so many ticks: a lost message is not sent again. */
  tick(ticksMax: number): void {
    this.#now += 1;
    if (this.#reads.size > 0) this.#abandon((read) => this.#now - read.startedTick >= ticksMax);
  }

  /** The leader has changed: what it was asked is forgotten. */
  abandon(): void {
    this.#abandon(() => true);
  }

  #abandon(isOver: (read: Read) => boolean): void {
    for (const [context, read] of this.#reads) {
      if (read.index !== undefined || !isOver(read)) continue;
      this.#reads.delete(context);
      read.reject(new ReadUnconfirmedError(this.#group));
    }
  }

  /** The group is gone. */
  close(): void {
    for (const { reject } of this.#reads.values()) reject(new ReadUnconfirmedError(this.#group));
    this.#reads.clear();
  }
}
