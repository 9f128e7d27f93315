/** A stream of numbers that its seed decides. */
export class Random {
  #state: number;
  #draws = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** How many numbers were taken: two equal runs take equally many. */
  get draws(): number {
    return this.#draws;
  }

  /** From 0 to below 1 (mulberry32's mixing). */
  readonly next = (): number => {
    this.#draws += 1;
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("Cannot pick from nothing");
    return choice;
  }

  /** The same things in another order. */
  shuffle<T>(things: readonly T[]): T[] {
    return things
      .map((thing) => ({ thing, place: this.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ thing }) => thing);
  }

  /** Exponentially distributed: mostly small, sometimes large. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/**
 * The streams of one run, by name. Each has a seed of its own, so that one more draw in the system under test
 * changes neither the faults nor the workload.
 */
export class RandomStreams {
  readonly #seed: number;
  readonly #streams = new Map<string, Random>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  stream(name: string): Random {
    const known = this.#streams.get(name);
    if (known) return known;
    const stream = new Random(hashText(name, this.#seed));
    this.#streams.set(name, stream);
    return stream;
  }

  /** Numbers taken from all streams together. */
  get draws(): number {
    let sum = 0;
    for (const { draws } of this.#streams.values()) sum += draws;
    return sum;
  }
}

/** FNV-1a over UTF-16 units, from a seed. */
export function hashText(text: string, seed = 0): number {
  let hash = Math.imul(seed ^ 0x811c9dc5, 0x9e3779b1) >>> 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
