import type { RaftClock } from "../clock.ts";

/**
 * One timer for all groups. After a pause of the process it ticks once, not as often as it missed: messages that
 * came meanwhile are to be heard before anybody's silence counts.
 */
export class Ticker {
  readonly #clock: RaftClock;
  readonly #tickMs: number;
  readonly #onTick: () => void;
  #cancel: (() => void) | undefined;
  #dueMs = 0;

  constructor(clock: RaftClock, options: { readonly tickMs: number; readonly onTick: () => void }) {
    this.#clock = clock;
    this.#tickMs = options.tickMs;
    this.#onTick = options.onTick;
  }

  get isRunning(): boolean {
    return this.#cancel !== undefined;
  }

  start(): void {
    if (this.#cancel) return;
    this.#dueMs = this.#clock.monotonicMs();
    this.#scheduleNext();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #scheduleNext(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#dueMs += this.#tickMs;
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + this.#tickMs;
    this.#cancel = this.#clock.schedule(this.#dueMs - nowMs, () => {
      this.#scheduleNext();
      this.#onTick();
    });
  }
}
