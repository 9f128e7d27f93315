/** Upper bounds in ms: from a quarter of a millisecond, each twice the one before, to 16 s; then infinity. */
export const latencyBoundsMs: readonly number[] = Array.from({ length: 17 }, (_, at) => 0.25 * 2 ** at);

/** Durations counted in fixed buckets. Plain numbers, so that an observation costs a few comparisons. */
export class LatencyHistogram {
  /** One for each bound and one for all above; not cumulative. */
  readonly #counts: number[] = Array.from({ length: latencyBoundsMs.length + 1 }, () => 0);
  #count = 0;
  #sumMs = 0;

  get count(): number {
    return this.#count;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  observe(durationMs: number): void {
    let at = 0;
    let boundMs = 0.25;
    while (durationMs > boundMs && at < latencyBoundsMs.length) {
      at += 1;
      boundMs *= 2;
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += durationMs;
  }

  /** How many took at most as long as each bound; what took longer is in `count` alone. */
  cumulativeCounts(): readonly number[] {
    let sum = 0;
    return latencyBoundsMs.map((_, at) => {
      sum += this.#counts[at] ?? 0;
      return sum;
    });
  }
}
