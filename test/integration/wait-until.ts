import { setTimeout as sleep } from "node:timers/promises";

const pollEveryMs = 25;
const timeoutMsDefault = 20_000;

/** Polls until the check answers something truthy, and answers that; throws, naming what it waited for, after the timeout. */
export async function waitUntil<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs: number = timeoutMsDefault,
): Promise<Exclude<T, false | 0 | "" | null | undefined>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer) return answer as Exclude<T, false | 0 | "" | null | undefined>;
    if (performance.now() > deadlineMs) throw new Error(`Cannot see "${what}": not within ${timeoutMs} ms`);
    await sleep(pollEveryMs);
  }
}

/** Rejects when the promise has not settled in time; the promise itself goes on. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = timeoutMsDefault): Promise<T> {
  const waiting = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: waiting.signal }).then(
    () => Promise.reject(new Error(`Cannot see "${what}": not within ${timeoutMs} ms`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    waiting.abort();
  }
}
