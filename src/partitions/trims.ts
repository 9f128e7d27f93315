/** What trims need of their partition. */
export interface TrimTarget {
  /** Where the log begins on this disk, durably. */
  readonly diskStartOffset: number;
  /** Proposes a new start to the group; resolves when that is applied here. Rejects where that is not known. */
  propose(startOffset: number): Promise<void>;
  /** Moves the log's start on this disk, durably; rejects where nobody can do that any more. */
  execute(startOffset: number): Promise<void>;
}

/**
 * Moves the start of a partition's log on all its replicas (DeleteRecords): the group agrees on the offset, from then
 * on nobody reads below it, and each replica lets its files go when it comes to that. The entry stays in the journal
 * until then, so a crash in between repeats the rest.
 */
export class Trims {
  readonly #target: TrimTarget;
  #agreedOffset = 0;
  /** The furthest that anybody asked for and that is not agreed yet: many requests are one entry. */
  #wantedOffset = 0;
  #round: Promise<void> | undefined;
  #execution: Promise<void> | undefined;

  constructor(target: TrimTarget) {
    this.#target = target;
  }

  /** What the group has agreed on; never goes back, and may be ahead of the disk. */
  get agreedOffset(): number {
    return this.#agreedOffset;
  }

  /** Whether the disk is behind what was agreed: the journal must not forget it. */
  get isPending(): boolean {
    return this.#target.diskStartOffset < this.#agreedOffset;
  }

  /** Resolves when the start is agreed on and durable here. @throws what proposing and executing throw */
  async trimTo(offset: number): Promise<void> {
    while (this.#agreedOffset < offset) {
      this.#wantedOffset = Math.max(this.#wantedOffset, offset);
      this.#round ??= this.#propose();
      await this.#round;
    }
    await this.#execution;
  }

  /** The group has agreed, or another replica says so. */
  agree(startOffset: number): void {
    if (startOffset <= this.#agreedOffset) return;
    this.#agreedOffset = startOffset;
    if (!this.isPending || this.#execution) return;
    this.#execution = this.#execute().finally(() => {
      this.#execution = undefined;
    });
    // Those who wait for it are told.
    this.#execution.catch(() => undefined);
  }

  /** Resolves when the disk is where the group is. */
  async whenDone(): Promise<void> {
    await this.#execution;
  }

  async #propose(): Promise<void> {
    try {
      // Whoever asks in the same turn comes along.
      await Promise.resolve();
      await this.#target.propose(this.#wantedOffset);
    } finally {
      this.#round = undefined;
      // What failed is to be asked for again, and not to come along with another wish.
      this.#wantedOffset = 0;
    }
  }

  async #execute(): Promise<void> {
    while (this.isPending) await this.#target.execute(this.#agreedOffset);
  }
}
