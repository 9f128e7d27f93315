/** Time as the broker sees it; a simulator turns it by hand. */
export interface Clock {
  /** Wall time in ms since 1970: for record timestamps and retention only, for it may jump. */
  nowMs(): number;
  /** Time in ms that never goes back: for every duration. */
  monotonicMs(): number;
  /** Runs the callback after the delay; the answer cancels it. */
  schedule(delayMs: number, callback: () => void): CancelTimer;
  /** Runs the callback once what is ready now has run. */
  soon(callback: () => void): void;
}

export type CancelTimer = () => void;

/** Longest delay a timer of Node takes; longer ones would fire at once. */
const delayMsMax = 2 ** 31 - 1;

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback) {
    // What was due a moment ago is due now; Node would complain of a negative delay.
    const timer = setTimeout(callback, Math.max(0, Math.min(delayMs, delayMsMax)));
    return () => clearTimeout(timer);
  },
  soon(callback) {
    setImmediate(callback);
  },
};

/** Resolves after the delay. */
export function sleep(clock: Pick<Clock, "schedule">, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delayMs, resolve));
}

/** Runs `work` every `intervalMs`, which may change meanwhile, one run at a time, until the answer is called. */
export function every(
  clock: Pick<Clock, "schedule">,
  intervalMs: number | (() => number),
  work: () => void | Promise<void>,
  onError: (error: unknown) => void,
): CancelTimer {
  let stopped = false;
  const delayMs = () => (typeof intervalMs === "number" ? intervalMs : intervalMs());
  let cancel = clock.schedule(delayMs(), run);
  function run(): void {
    Promise.resolve()
      .then(work)
      .catch(onError)
      .finally(() => {
        if (!stopped) cancel = clock.schedule(delayMs(), run);
      });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
