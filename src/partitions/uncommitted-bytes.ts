/** Bytes that a node's leaders may have proposed without their being committed: they stay in memory until then. */
const uncommittedBytesMax = 128 << 20;

/** What all partitions that a node leads have proposed and not committed, so that a lost majority costs no more than this. */
export class UncommittedBytes {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes >= uncommittedBytesMax;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
