/** What the schedule takes from the host and its world. */
interface PassScheduleOptions {
  /** Runs a callback once the work that is ready now has run. */
  readonly schedulePass: (callback: () => void) => void;
  readonly onPass: () => void;
  /** A throw is a failed write or a bug: nothing may go on. */
  readonly onFailed: (error: unknown) => void;
}

/** When the host's passes run, one at a time until the end, and who waits for what one of them brings. */
export class PassSchedule {
  readonly #options: PassScheduleOptions;
  readonly #waiters: (() => void)[] = [];
  #isScheduled = false;
  #isStopped = false;

  constructor(options: PassScheduleOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Asks for a pass; what comes in before it begins is part of it. */
  schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#options.schedulePass(() => {
      this.#isScheduled = false;
      this.run(this.#options.onPass);
    });
  }

  /** Does a pass, or what belongs to one, unless all has ended. */
  run(work: () => void): void {
    if (this.#isStopped) return;
    try {
      work();
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  /** Resolves when something was done: who waits looks whether that was it. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Something was done: wakes who waits. */
  done(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** No pass runs from now on. */
  stop(): void {
    this.#isStopped = true;
    this.done();
  }
}
