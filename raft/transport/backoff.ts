/** How long to wait between attempts. */
export interface BackoffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Doubles with each failure up to the bound, less up to half of it by chance: nodes must not try in step. */
export function backoffMs(failureCount: number, { firstMs, maxMs }: BackoffBounds, fraction: number): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.min(failureCount - 1, 30));
  return fullMs * (1 - fraction / 2);
}
