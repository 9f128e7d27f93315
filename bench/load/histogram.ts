/** What a histogram says of a run, in milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Steps within each power of two: a bucket is at most 1/64 wide of its value. */
const stepBits = 6;
const steps = 1 << stepBits;
/** Values are microseconds below 2^31, some 35 minutes. */
const bucketCount = (32 - stepBits) * steps;
const microsecondsMax = 2 ** 31 - 1;

/** Counts latencies in log-linear buckets: memory and error are bounded, whatever the number of values. */
export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  record(latencyMs: number, count = 1): void {
    const us = Math.min(Math.max(0, Math.round(latencyMs * 1000)), microsecondsMax);
    const bucket = bucketOf(us);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#count += count;
    this.#sumUs += us * count;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The upper end of the bucket below which `share` of all values lie, in ms; 0 without values. */
  quantileMs(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted && seen > 0) return Math.min(upperEndOf(bucket), this.#maxUs) / 1000;
    }
    return 0;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000,
      p50Ms: this.quantileMs(0.5),
      p99Ms: this.quantileMs(0.99),
      p999Ms: this.quantileMs(0.999),
      maxMs: this.#maxUs / 1000,
    };
  }
}

/** Values below 2 × steps have a bucket each; from there on every power of two has `steps`. */
function bucketOf(value: number): number {
  if (value < 2 * steps) return value;
  const shift = 31 - Math.clz32(value) - stepBits;
  return shift * steps + (value >>> shift);
}

function upperEndOf(bucket: number): number {
  if (bucket < 2 * steps) return bucket;
  const shift = (bucket >>> stepBits) - 1;
  const step = (bucket & (steps - 1)) + steps;
  return (step + 1) * 2 ** shift - 1;
}
