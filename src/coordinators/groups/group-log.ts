/** One record of a partition of `__consumer_offsets`; a null value is a tombstone. */
export interface GroupRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Where the coordinator keeps what must survive it: the partitions of `__consumer_offsets`.
 *
 * Obligations: an append resolves once it is committed and durable, and appends of one partition take effect
 * and settle in call order. One that rejects does so with a GroupLogError; whether it took effect is then unknown.
 */
export interface GroupLog {
  readonly partitionCount: number;
  /** Whether no other coordinator can have taken the partition over by now, as far as time tells; synchronous and cheap. */
  isCertain(partition: number): boolean;
  /** Finds out for sure whether this node coordinates the partition; `isCertain` knows then. Never rejects. */
  confirm(partition: number): Promise<void>;
  /** Appends the records as one atomic batch stamped with `nowMs`. */
  append(partition: number, records: readonly GroupRecord[], nowMs: number): Promise<void>;
  /**
   * Feeds every committed record in offset order; resolves after the last one.
   * It must include everything that any earlier coordinator of the partition acknowledged.
   */
  load(
    partition: number,
    onRecord: (key: Uint8Array, value: Uint8Array | null, timestampMs: number) => void,
  ): Promise<void>;
}

/** notLeader: another node took over · unavailable: try again later · tooLarge: the records exceed a batch. */
export type GroupLogErrorCode = "notLeader" | "unavailable" | "tooLarge";

/** Why an append or a load did not succeed. */
export class GroupLogError extends Error {
  readonly code: GroupLogErrorCode;

  constructor(code: GroupLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GroupLogError";
    this.code = code;
  }
}
