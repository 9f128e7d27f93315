import type { CommittedEnds } from "./committed-ends.ts";
import type { CommittedWrites } from "./committed-writes.ts";
import type { Marks } from "./marks.ts";
import type { Violation } from "./violation.ts";

/** Whom a look inside tells what it sees. */
export interface Watched {
  readonly marks: Marks;
  /** Told of all that is applied. */
  readonly committedEnds: CommittedEnds;
  readonly committedWrites: CommittedWrites;
  readonly onViolation: (violation: Violation) => void;
}
