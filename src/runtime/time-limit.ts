import type { Clock } from "./clock.ts";

/** Stands for an outcome that did not come in time. It may come later: what was asked for is not taken back. */
export const timedOut = Symbol("timed out");

/** The outcome, or `timedOut` where that takes longer than `limitMs`. */
export function within<T>(
  clock: Pick<Clock, "schedule">,
  limitMs: number,
  outcome: Promise<T>,
): Promise<T | typeof timedOut> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.schedule(Math.max(0, limitMs), () => resolve(timedOut));
    outcome.then(resolve, reject).finally(cancelTimer);
  });
}
