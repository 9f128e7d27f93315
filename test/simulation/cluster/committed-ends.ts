/** How far each partition is committed, by name, as whoever applied most has shown: no acknowledgement may go beyond. */
export class CommittedEnds {
  readonly #ends = new Map<string, number>();

  note(partition: string, nextOffset: number): void {
    this.#ends.set(partition, Math.max(nextOffset, this.of(partition)));
  }

  of(partition: string): number {
    return this.#ends.get(partition) ?? 0;
  }
}
