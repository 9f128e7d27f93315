import type { Key } from "./operation.ts";

/**
 * What can be wrong with a history. The first group is Jepsen's, under the names of its kafka workload; the second
 * is ours, and holds for brokers whose clients all ask the leader.
 */
export type AnomalyKind =
  | "duplicate"
  | "inconsistentOffsets"
  | "lostWrite"
  | "unseen"
  | "abortedRead"
  | "precommittedRead"
  | "pollSkip"
  | "nonmonotonicPoll"
  | "internalPollSkip"
  | "internalNonmonotonicPoll"
  | "nonmonotonicSend"
  | "internalNonmonotonicSend"
  | "internalSendSkip"
  | "G0"
  | "G1c"
  | "G1cMixed"
  // ours
  | "neverSent"
  | "offsetGap"
  | "disorder"
  | "staleRead"
  | "watermarkBack"
  | "lostUpdate";

/** One finding; `details` is for the reader, with the operations' numbers in the history. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly key: Key | undefined;
  readonly details: string;
}

/** What Kafka's contract does not rule out: writes are never isolated, so cycles through ww edges are normal. */
export const allowedByKafka: ReadonlySet<AnomalyKind> = new Set(["internalSendSkip", "G0", "G1cMixed"]);
