/** What must not happen, whoever saw it: the history's checker, a client, or the simulation itself. */
export interface Violation {
  readonly kind: string;
  readonly details: string;
}
