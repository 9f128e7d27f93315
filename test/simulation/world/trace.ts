import { hashText } from "./random.ts";

/** Folds all that happens in a run into one number: equal runs have equal hashes. */
export class Trace {
  #first = 0x811c9dc5;
  #second = 0x1b873593;
  readonly #labels = new Map<string, number>();

  number(value: number): void {
    const low = value | 0;
    const high = (value / 2 ** 32) | 0;
    this.#first = Math.imul(this.#first ^ low, 0x01000193);
    this.#second = (Math.imul(this.#second, 0x85ebca6b) + (low ^ Math.imul(high, 0xc2b2ae35))) | 0;
    this.#second ^= this.#second >>> 13;
  }

  label(text: string): void {
    let hash = this.#labels.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      this.#labels.set(text, hash);
    }
    this.number(hash);
  }

  get hash(): string {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return hex(this.#first) + hex(this.#second);
  }
}
