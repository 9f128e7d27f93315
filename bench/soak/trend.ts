/** One reading of something that is followed: any unit of time, any value. */
export interface Reading {
  readonly at: number;
  readonly value: number;
}

/** What a line through all readings, by least squares, gains from the first one to the last; 0 for fewer than two. */
export function fittedGrowth(readings: readonly Reading[]): number {
  const first = readings[0];
  const last = readings.at(-1);
  if (!first || !last || last.at === first.at) return 0;
  const meanAt = mean(readings.map(({ at }) => at));
  const meanValue = mean(readings.map(({ value }) => value));
  let products = 0;
  let squares = 0;
  for (const { at, value } of readings) {
    products += (at - meanAt) * (value - meanValue);
    squares += (at - meanAt) ** 2;
  }
  return (products / squares) * (last.at - first.at);
}

/** The middle of the values; 0 without any. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Medians of the first and of the last quarter. */
export function quarters(values: readonly number[]): { readonly first: number; readonly last: number } {
  const count = Math.ceil(values.length / 4);
  return { first: median(values.slice(0, count)), last: median(values.slice(-count)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
