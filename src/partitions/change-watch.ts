import type { Clock } from "../runtime/clock.ts";
import type { Partition } from "./partition.ts";

/**
 * Notes changes of partitions from its making on: a change between a look at them and the wait is not missed.
 */
export class ChangeWatch implements Disposable {
  readonly #clock: Clock;
  readonly #stops: (() => void)[] = [];
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(partitions: Iterable<Partition>, clock: Clock) {
    this.#clock = clock;
    for (const partition of partitions) this.#stops.push(partition.watch(() => this.#note()));
  }

  /** Resolves once something has changed since the last call, the time is over or the signal says so. */
  async next(waitMs: number, ended: AbortSignal): Promise<void> {
    if (!this.#hasChanged && !ended.aborted) await this.#wait(waitMs, ended);
    // What was committed in the same pass is seen in one look.
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#hasChanged = false;
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }

  #wait(waitMs: number, ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake = undefined;
        cancelTimer();
        ended.removeEventListener("abort", wake);
        resolve();
      };
      const cancelTimer = this.#clock.schedule(waitMs, wake);
      ended.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
    });
  }

  #note(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }
}
