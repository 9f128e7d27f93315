import type { Entry } from "../core/entry.ts";

/** What a group's committed entries act on. */
export interface StateMachine {
  /** Called once for each committed entry, in index order, synchronously. It must not throw: a throw is a bug and ends the process. */
  apply(entry: Entry): void;
}
