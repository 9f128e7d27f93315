import type { CancelTimer, Clock } from "../runtime/clock.ts";

/** Something with waiters whose time may be over. */
export interface Expiring {
  /** Tells those whose time is over; answers whether anybody still waits. */
  expire(nowMs: number): boolean;
}

/** How late a deadline may be noticed. */
const sweepMs = 50;

/** One timer for all requests that wait for a commit: a timer each would cost more than most of them wait. */
export class CommitDeadlines {
  readonly #clock: Pick<Clock, "monotonicMs" | "schedule">;
  readonly #waitedOn = new Set<Expiring>();
  #cancelTimer: CancelTimer | undefined;

  constructor(clock: Pick<Clock, "monotonicMs" | "schedule">) {
    this.#clock = clock;
  }

  /** Looks after its waiters until there are none; once is enough until then. */
  watch(expiring: Expiring): void {
    this.#waitedOn.add(expiring);
    this.#cancelTimer ??= this.#clock.schedule(sweepMs, () => this.#sweep());
  }

  /** Looks after nobody any more. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waitedOn.clear();
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const expiring of [...this.#waitedOn]) {
      if (!expiring.expire(nowMs)) this.#waitedOn.delete(expiring);
    }
    this.#cancelTimer =
      this.#waitedOn.size > 0 ? this.#clock.schedule(sweepMs, () => this.#sweep()) : undefined;
  }
}
