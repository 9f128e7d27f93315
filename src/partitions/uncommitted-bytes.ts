/** Bytes that a node's leaders may have proposed without their being committed: they stay in memory until then. */
const uncommittedBytesMax = 128 << 20;
/**
 * As a share of the journal: what is not committed holds its files, on followers as well, and where journals are full of
 * it nothing is committed any more that would make room. A node may follow several.
 */
const journalShare = 8;

/** What all partitions that a node leads have proposed and not committed, so that a lost majority costs no more than this. */
export class UncommittedBytes {
  readonly #bytesMax: number;
  #bytes = 0;
  /** Called, while set, when there is room again. */
  onRoom: (() => void) | undefined;

  /** `journalBytes` is the most that the journal takes. */
  constructor({ journalBytes = Infinity }: { readonly journalBytes?: number } = {}) {
    this.#bytesMax = Math.min(uncommittedBytesMax, journalBytes / journalShare);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  /** For one of those that count in it. */
  share(): UncommittedShare {
    return new UncommittedShare(this);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    const wasOver = this.isOver;
    this.#bytes -= bytes;
    if (wasOver && !this.isOver) this.onRoom?.();
  }
}

/** What one partition has proposed and not committed. */
export class UncommittedShare {
  readonly #all: UncommittedBytes;
  #bytes = 0;

  constructor(all: UncommittedBytes) {
    this.#all = all;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#all.add(bytes);
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.#all.remove(bytes);
  }

  /** What becomes of it is not this leader's concern any more. */
  forget(): void {
    this.remove(this.#bytes);
  }
}
