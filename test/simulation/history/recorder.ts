import type { Operation, Outcome, Step } from "./operation.ts";

/** An operation under way; it is indefinite until completed. */
export interface Invocation {
  complete(outcome: Outcome, steps: readonly Step[]): void;
}

interface Pending {
  readonly process: string;
  readonly invokedAt: number;
  completedAt: number;
  outcome: Outcome;
  steps: readonly Step[];
}

/** Collects operations while clients run. */
export class Recorder {
  readonly #now: () => number;
  readonly #operations: Pending[] = [];

  /** `now` is the time that all clients share. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins an operation; `steps` is what it would have done where it is never completed. */
  invoke(process: string, steps: readonly Step[]): Invocation {
    const pending: Pending = {
      process,
      invokedAt: this.#now(),
      completedAt: Number.POSITIVE_INFINITY,
      outcome: "indefinite",
      steps,
    };
    this.#operations.push(pending);
    return {
      complete: (outcome, done) => {
        pending.completedAt = this.#now();
        pending.outcome = outcome;
        pending.steps = done;
      },
    };
  }

  /** All operations so far, by invocation. */
  history(): Operation[] {
    return this.#operations.map((operation, index) => ({ index, ...operation }));
  }
}
