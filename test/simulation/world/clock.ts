import type { CancelTimer, Clock } from "#src/runtime/clock.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimulatedClockOptions {
  readonly scheduler: Scheduler;
  readonly process: SimulatedProcess;
  readonly random: Random;
  /** Wall time in ms at the start of the run, as this host believes it; read anew each time, for it may jump. */
  readonly wallStartMs: () => number;
}

/** How late timers and the turns of an event loop are at most, in µs. */
const timerLateUs = 1_200;
const turnUs = 40;

/** Time as one process sees it. */
export class SimulatedClock implements Clock {
  readonly #options: SimulatedClockOptions;
  readonly #startedUs: number;
  #lastSoonUs = 0;

  constructor(options: SimulatedClockOptions) {
    this.#options = options;
    this.#startedUs = options.scheduler.nowUs;
  }

  nowMs(): number {
    const { wallStartMs, scheduler } = this.#options;
    return Math.floor(wallStartMs() + scheduler.nowUs / 1_000);
  }

  monotonicMs(): number {
    return (this.#options.scheduler.nowUs - this.#startedUs) / 1_000;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const { scheduler, process, random } = this.#options;
    // As Node's timers: whole milliseconds, never early, a little late.
    const afterUs = Math.max(1, Math.floor(delayMs)) * 1_000 + random.below(timerLateUs);
    return scheduler.schedule({ afterUs, process, label: "timer" }, callback);
  }

  soon(callback: () => void): void {
    const { scheduler, process, random } = this.#options;
    // Turns of one event loop do not overtake each other.
    this.#lastSoonUs = Math.max(this.#lastSoonUs, scheduler.nowUs + random.below(turnUs));
    scheduler.schedule({ afterUs: this.#lastSoonUs - scheduler.nowUs, process, label: "soon" }, callback);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, resolve));
  }
}
