import type { Logger } from "pino";
import { type CancelTimer, type Clock, every } from "./clock.ts";

/** Work that is done again and again until it is stopped; what it fails with is an error in the log, and it goes on. */
export class RepeatedWork {
  readonly #clock: Pick<Clock, "schedule">;
  readonly #logger: Logger;
  readonly #timers: CancelTimer[] = [];

  constructor({ clock, logger }: { readonly clock: Pick<Clock, "schedule">; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Begins some work; `complaint` is the line for its failures. */
  every(intervalMs: number, work: () => void | Promise<void>, complaint: string): void {
    const onError = (err: unknown): void => this.#logger.error({ err }, complaint);
    this.#timers.push(every(this.#clock, intervalMs, work, onError));
  }

  /** Ends all of it. */
  stop(): void {
    for (const cancel of this.#timers.splice(0)) cancel();
  }
}
