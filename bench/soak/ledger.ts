/*
 * Each partition has one producer, which numbers its records from 0. It is idempotent, so each record has to be
 * in the log once, and the number of a record has to be its offset: before and after every restart. What is
 * lost, doubled or out of order shows at the first record behind it.
 */

/** What became of one partition's records, as its producer knows. */
export class PartitionLedger {
  readonly topic: string;
  readonly partition: number;
  /** Records given a number so far: also the number of the next one. */
  sentCount = 0;
  /** All records below have been acknowledged. */
  acknowledgedCount = 0;
  /** Acknowledged at another offset than their number. */
  misplacedCount = 0;
  /** The number of the last acknowledged record of each key, and whether it deletes the key. */
  readonly latest = new Map<string, { readonly number: number; readonly isDeletion: boolean }>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The broker answered for a batch. */
  acknowledge(batch: {
    readonly first: number;
    readonly records: number;
    readonly baseOffset: number;
  }): void {
    if (batch.baseOffset !== batch.first) this.misplacedCount += batch.records;
    this.acknowledgedCount = Math.max(this.acknowledgedCount, batch.first + batch.records);
  }
}

/** What a reader found wrong, and how much it read. */
export interface ReadingTally {
  recordCount: number;
  /** Offsets that were passed over: records lost. */
  gapCount: number;
  /** Records at another offset than their number: doubled or out of order. */
  misplacedCount: number;
  /** Records delivered again, which a group that was interrupted may do. */
  redeliveredCount: number;
  /** Times that a group went on before an offset that it had stored. */
  lostCommitCount: number;
}

export function emptyTally(): ReadingTally {
  return { recordCount: 0, gapCount: 0, misplacedCount: 0, redeliveredCount: 0, lostCommitCount: 0 };
}

/** Follows one reader, or one group as a whole, through one partition. */
export class ReadingCheck {
  readonly #tally: ReadingTally;
  readonly #mayHaveGaps: boolean;
  #next: number | undefined;
  #committed = 0;

  /** Compacted logs have gaps. Without `from`, the first record may be anywhere. */
  constructor(tally: ReadingTally, { mayHaveGaps, from }: { mayHaveGaps: boolean; from?: number }) {
    this.#tally = tally;
    this.#mayHaveGaps = mayHaveGaps;
    this.#next = from;
  }

  /** One past the last offset that was seen. */
  get next(): number {
    return this.#next ?? 0;
  }

  take(offset: number, number: number | undefined): void {
    const tally = this.#tally;
    const next = this.#next ?? offset;
    tally.recordCount++;
    if (number !== offset) tally.misplacedCount++;
    if (offset < next) tally.redeliveredCount++;
    else if (!this.#mayHaveGaps) tally.gapCount += offset - next;
    this.#next = Math.max(next, offset + 1);
  }

  /** The reader is past everything below; tells something only where compaction leaves nothing to deliver. */
  passed(offset: number): void {
    if (this.#mayHaveGaps) this.#next = Math.max(this.next, offset);
  }

  /** The group stored an offset, and the broker said so. */
  committed(offset: number): void {
    this.#committed = Math.max(this.#committed, offset);
  }

  /** The group goes on at an offset that the broker gave it. */
  resumed(offset: number): void {
    if (offset < this.#committed) this.#tally.lostCommitCount++;
  }
}
