/**
 * What clients did and saw, in the terms of Jepsen's kafka workload: an operation is a list of steps with one outcome.
 *
 * Values are numbers that are sent once each in a history, so that a value names the send that it came from.
 */

/** One partition over one life of its topic; a topic made again has other keys. */
export type Key = string;

/** ok: it took effect · failed: it did not, and never will · indefinite: it may have, or may still. */
export type Outcome = "ok" | "failed" | "indefinite";

export interface Operation {
  /** Its place in the history, by invocation. */
  readonly index: number;
  /** One thread of control of one client. */
  readonly process: string;
  /** Any time that all operations share and that never goes back. */
  readonly invokedAt: number;
  /** Infinity where the outcome was never learnt. */
  readonly completedAt: number;
  readonly outcome: Outcome;
  /** They take effect together or not at all. */
  readonly steps: readonly Step[];
}

/** A place in a log and what was found there. */
export interface ReadRecord {
  readonly offset: number;
  readonly value: number;
}

export interface SendStep {
  readonly kind: "send";
  readonly key: Key;
  readonly value: number;
  /** As acknowledged; undefined where no acknowledgement told it. */
  readonly offset: number | undefined;
  /** Who had to have it: "all" survives whatever the cluster survives, the others may be lost. */
  readonly acks: "all" | "leader" | "none";
  /** The producer may have sent it more than once without idempotence: copies and disorder are its own. */
  readonly mayRepeat: boolean;
}

export interface PollStep {
  readonly kind: "poll";
  readonly key: Key;
  /** The offset that was asked for. */
  readonly position: number;
  readonly records: readonly ReadRecord[];
  readonly highWatermark: number;
}

/** The process reads other partitions, or from other places, from here on: what follows does not continue what was. */
export interface AssignStep {
  readonly kind: "assign";
  readonly how: "assign" | "subscribe" | "seek";
  readonly keys: readonly Key[];
}

/** Records below `offset` may go (DeleteRecords). */
export interface TrimStep {
  readonly kind: "trim";
  readonly key: Key;
  readonly offset: number;
}

/** The key may go with all its records. */
export interface DropStep {
  readonly kind: "drop";
  readonly key: Key;
}

/** A named value was set: a group's offset, a config, whether a topic is there (undefined: it is not). */
export interface WriteStep {
  readonly kind: "write";
  readonly register: string;
  readonly value: number | undefined;
}

/** A named value was asked for. */
export interface ReadStep {
  readonly kind: "read";
  readonly register: string;
  readonly value: number | undefined;
}

export type Step = SendStep | PollStep | AssignStep | TrimStep | DropStep | WriteStep | ReadStep;

/** The steps of one kind, in the operation's order. */
export function stepsOf<K extends Step["kind"]>(
  { steps }: Pick<Operation, "steps">,
  kind: K,
): Extract<Step, { kind: K }>[] {
  return steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
}
