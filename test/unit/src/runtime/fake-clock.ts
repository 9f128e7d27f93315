import type { CancelTimer, Clock } from "#src/runtime/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Steps after which a test that waits for something that never comes gives up. */
const stepsMax = 200_000;

/** Lets everything that is ready run: microtasks, and what they make ready. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that only a test turns. Timers run in the order of their time, then of their scheduling. */
export class FakeClock implements Clock {
  readonly #startedMs: number;
  #elapsedMs = 0;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];
  #isStopped = false;

  constructor(startedMs = 1_700_000_000_000) {
    this.#startedMs = startedMs;
  }

  /** Timers that wait for their time: 0 once everything has been stopped. */
  get timerCount(): number {
    return this.#timers.length;
  }

  nowMs(): number {
    return this.#startedMs + Math.floor(this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), callback };
    const at = this.#timers.findLastIndex(({ dueMs }) => dueMs <= timer.dueMs);
    this.#timers.splice(at + 1, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Ends time: nothing runs any more, and whoever waits for this clock is told. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs what is ready without any time passing. */
  async settle(): Promise<void> {
    await drain();
    if (this.#isStopped) throw new Error("Cannot wait: the clock was stopped");
    for (let step = 0; this.#soon.length > 0; step++) {
      if (step > stepsMax) throw new Error("Cannot settle: work makes ever more work ready");
      this.#soon.shift()?.();
      await drain();
      if (this.#isStopped) throw new Error("Cannot wait: the clock was stopped");
    }
  }

  /** Lets time pass, stopping at each timer. */
  async advance(delayMs: number): Promise<void> {
    const endMs = this.#elapsedMs + delayMs;
    await this.settle();
    for (let next = this.#timers[0]; next && next.dueMs <= endMs; next = this.#timers[0]) {
      await this.#fire(next);
    }
    this.#elapsedMs = endMs;
  }

  /** Lets as much time pass as the promise needs; throws when it is not settled within `withinMs`. */
  async until<T>(promise: Promise<T>, withinMs = 600_000): Promise<T> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    const endMs = this.#elapsedMs + withinMs;
    await this.settle();
    for (let step = 0; !isSettled; step++) {
      const next = this.#timers[0];
      if (!next || next.dueMs > endMs || step > stepsMax) {
        throw new Error(`Cannot wait any longer: not settled after ${this.#elapsedMs} ms of fake time`);
      }
      await this.#fire(next);
    }
    return promise;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
    timer.callback();
    await this.settle();
  }
}
