import type { Clock } from "./clock.ts";

/** A wait for others that is worth a line in the log, and when it is worth the next. */
const tellAfterMs = 5_000;

/** Lets a loop that waits for other nodes say so, now and then. */
export class LongWait {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #toldMs: number;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#toldMs = clock.monotonicMs();
  }

  /** Calls back where the wait has been a long one, since it began or since the last line. */
  tell(line: () => void): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < tellAfterMs) return;
    this.#toldMs = nowMs;
    line();
  }
}
