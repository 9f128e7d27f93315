import type { Random } from "./random.ts";

/** How long bytes take, in µs. */
export interface LinkProfile {
  readonly delayUs: number;
  /** Mean of what comes on top of it, exponentially distributed. */
  readonly jitterUs: number;
  /** How often a chunk takes `slowUs` more. */
  readonly slowChance: number;
  readonly slowUs: number;
  /** How often a write arrives in pieces. */
  readonly splitChance: number;
}

/** Which hosts can send to which, and how fast. Directions are cut one by one: a partition may be one-way. */
export class Links {
  readonly profile: LinkProfile;
  /** All delays are multiplied by it while the network is slow. */
  slowness = 1;
  readonly #random: Random;
  readonly #cuts = new Map<string, number>();

  constructor(profile: LinkProfile, random: Random) {
    this.profile = profile;
    this.#random = random;
  }

  /** Cuts one direction; cuts add up, and each has to be healed. */
  cut(from: string, to: string): void {
    const link = linkOf(from, to);
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
  }

  heal(from: string, to: string): void {
    const link = linkOf(from, to);
    const left = (this.#cuts.get(link) ?? 0) - 1;
    if (left > 0) this.#cuts.set(link, left);
    else this.#cuts.delete(link);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(linkOf(from, to));
  }

  delayUs(): number {
    const { delayUs, jitterUs, slowChance, slowUs } = this.profile;
    const slow = this.#random.chance(slowChance) ? this.#random.below(slowUs + 1) : 0;
    return (delayUs + this.#random.exponential(jitterUs) + slow) * this.slowness;
  }

  /** Where to cut a write of `sizeBytes` in two; 0 for not at all. */
  splitAt(sizeBytes: number): number {
    if (sizeBytes < 2 || !this.#random.chance(this.profile.splitChance)) return 0;
    return this.#random.between(1, sizeBytes - 1);
  }
}

function linkOf(from: string, to: string): string {
  return `${from}>${to}`;
}
