import type { CommittedEnds } from "../cluster/committed-ends.ts";
import type { Violation } from "../cluster/violation.ts";

/** How far each key's log reaches by what was acknowledged, over all clients: a reader at its end has come that far. */
export class AcknowledgedEnds {
  readonly #ends = new Map<string, number>();
  readonly #committed: CommittedEnds;
  readonly #onViolation: (violation: Violation) => void;

  constructor(committed: CommittedEnds, onViolation: (violation: Violation) => void) {
    this.#committed = committed;
    this.#onViolation = onViolation;
  }

  /** A batch that ends there was acknowledged: by then it must be committed. */
  note(key: string, nextOffset: number): void {
    this.#ends.set(key, Math.max(nextOffset, this.of(key)));
    const committed = this.#committed.of(key);
    if (committed >= nextOffset) return;
    const details = `${key} was acknowledged up to ${nextOffset}, and is committed up to ${committed}`;
    this.#onViolation({ kind: "acknowledgedEarly", details });
  }

  of(key: string): number {
    return this.#ends.get(key) ?? 0;
  }
}
