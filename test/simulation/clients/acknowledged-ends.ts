/** How far each key's log reaches by what was acknowledged, over all clients: a reader at its end has come that far. */
export class AcknowledgedEnds {
  readonly #ends = new Map<string, number>();

  note(key: string, nextOffset: number): void {
    this.#ends.set(key, Math.max(nextOffset, this.of(key)));
  }

  of(key: string): number {
    return this.#ends.get(key) ?? 0;
  }
}
