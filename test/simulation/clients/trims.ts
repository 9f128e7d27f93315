/** How far DeleteRecords was asked for, and answered, by key, over all clients. */
export class Trims {
  readonly #asked = new Map<string, number>();
  readonly #answered = new Map<string, number>();

  ask(key: string, offset: number): void {
    this.#asked.set(key, Math.max(offset, this.askedBelow(key)));
  }

  answer(key: string, offset: number): void {
    this.#answered.set(key, Math.max(offset, this.answeredBelow(key)));
  }

  /** Below it records may be gone. */
  askedBelow(key: string): number {
    return this.#asked.get(key) ?? 0;
  }

  /** Below it they must be. */
  answeredBelow(key: string): number {
    return this.#answered.get(key) ?? 0;
  }
}
