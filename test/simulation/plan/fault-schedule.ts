import { applyFault, type FaultTargets, type Heal } from "./apply-fault.ts";
import type { Fault } from "./fault.ts";

/** Lets faults happen in their time, and heals each in its time, until it is ended. */
export class FaultSchedule {
  readonly #targets: FaultTargets;
  readonly #healing = new Set<Heal>();
  #isOver = false;

  constructor(targets: FaultTargets) {
    this.#targets = targets;
  }

  /** Its time counts from now. */
  add(fault: Fault): void {
    const { scheduler } = this.#targets;
    scheduler.schedule({ afterUs: fault.atMs * 1_000, process: undefined, label: fault.kind }, () => {
      if (this.#isOver) return;
      const undo = applyFault(fault, this.#targets);
      const heal = () => {
        if (this.#healing.delete(heal)) undo();
      };
      this.#healing.add(heal);
      scheduler.schedule({ afterUs: fault.forMs * 1_000, process: undefined, label: "heal" }, heal);
    });
  }

  /** Heals all that is under way; nothing more happens. */
  end(): void {
    this.#isOver = true;
    for (const heal of this.#healing) heal();
  }
}
