import type { Step } from "../history/operation.ts";

/** What was ever committed to registers, as whoever applied it has shown: nothing else may be acknowledged. */
export class CommittedWrites {
  readonly #values = new Map<string, Set<number>>();

  note(register: string, value: number): void {
    const values = this.#values.get(register) ?? new Set();
    this.#values.set(register, values.add(value));
  }

  /** Says what of acknowledged writes nobody has committed. */
  missing(steps: readonly Step[]): string | undefined {
    for (const step of steps) {
      if (step.kind !== "write" || step.value === undefined) continue;
      if (this.#values.get(step.register)?.has(step.value)) continue;
      return `${step.register} was acknowledged as ${step.value}, which nobody has committed`;
    }
    return undefined;
  }
}
