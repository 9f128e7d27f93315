import type { CancelTimer, Clock } from "../runtime/clock.ts";

/** Lines of one kind that are written within an interval; the others are counted. */
const linesPerInterval = 10;
const intervalMs = 10_000;

/** Keeps a storm of one kind of event from becoming a storm of log lines. */
export class LogThrottle {
  readonly #clock: Pick<Clock, "monotonicMs" | "schedule">;
  readonly #tellSuppressed: (count: number) => void;
  #intervalEndMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #suppressed = 0;
  #cancelTimer: CancelTimer | undefined;

  /** `tellSuppressed` is called at the end of an interval in which lines were left out, with their number. */
  constructor(
    clock: Pick<Clock, "monotonicMs" | "schedule">,
    tellSuppressed: (suppressedCount: number) => void,
  ) {
    this.#clock = clock;
    this.#tellSuppressed = tellSuppressed;
  }

  /** Whether this event gets a line of its own. */
  admits(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#intervalEndMs) {
      this.#intervalEndMs = nowMs + intervalMs;
      this.#lines = 0;
    }
    if (this.#lines < linesPerInterval) {
      this.#lines += 1;
      return true;
    }
    if (this.#suppressed === 0) {
      this.#cancelTimer = this.#clock.schedule(this.#intervalEndMs - nowMs, () => {
        const count = this.#suppressed;
        this.#suppressed = 0;
        this.#tellSuppressed(count);
      });
    }
    this.#suppressed += 1;
    return false;
  }

  /** Leaves no timer behind; what was left out stays untold. */
  stop(): void {
    this.#cancelTimer?.();
  }
}
