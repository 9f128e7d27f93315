import type { Entry } from "../core/entry.ts";
import type { Leadership } from "../core/ready.ts";

/** A replica's part in its group, as its owner needs to know it. */
export interface GroupLeadership extends Leadership {
  /** Leads, and has applied an entry of its own term: only then is its state the group's newest. */
  readonly isSettled: boolean;
}

/** What a group's committed entries act on. Nothing of it may throw: a throw is a bug and ends the process. */
export interface StateMachine {
  /** Called once for each committed entry, in index order, synchronously. */
  apply(entry: Entry): void;
  /**
   * Told of each change, before entries of the new term are applied. Where the term is another or the role is not
   * "leader" any more, what was proposed and not applied is *indefinite*: it may be committed yet, or be gone.
   */
  leadership?(leadership: GroupLeadership): void;
  /** Whether a committed entry of before this start must be read from the disk; no: `apply` gets it without payload. */
  wantsPayload?(entry: Omit<Entry, "payload">): boolean;
  /** Awaited before committed entries of before this start are read: a place to make room for them. */
  beforeReplay?(): Promise<void>;
}
