/** A batch as a producer numbered it, and where it went. */
export interface ProducedBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly maxTimestampMs: number;
}

/** What is remembered of one producer of a partition. */
export interface ProducerEntry {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Its last batches, oldest first: `windowBatches` at most, and those that are not committed yet. */
  readonly batches: readonly ProducedBatch[];
  /** Wall time of its last append here, for expiry. */
  readonly lastAppendMs: number;
}

/** The producer's own numbering in a batch header. */
export interface ProducerSequence {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

export type SequenceVerdict =
  | { readonly kind: "next" }
  | { readonly kind: "duplicate"; readonly batch: ProducedBatch }
  | { readonly kind: "outOfOrder"; readonly expectedSequence: number }
  | { readonly kind: "fenced"; readonly currentEpoch: number };

/** Batches of one producer that may be in flight and so be sent again (KIP-98: max.in.flight is 5 at most). */
const windowBatches = 5;

const sequenceModulus = 2 ** 31;

/**
 * Which batches each idempotent producer of a partition has appended, so that a batch sent again is
 * answered, not appended again (KIP-98, KIP-185).
 */
export class ProducerTable {
  readonly #entries = new Map<number, ProducerEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** All producers, in no order. */
  entries(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  restore(entries: Iterable<ProducerEntry>): void {
    for (const entry of entries) this.#entries.set(entry.producerId, entry);
  }

  /** Forgets all that it knows for what another replica knew. */
  replaceBy(entries: Iterable<ProducerEntry>): void {
    this.#entries.clear();
    this.restore(entries);
  }

  /** Judges a batch before it is appended. A producer that is not known (any more) may begin anywhere. */
  check(sequence: ProducerSequence): SequenceVerdict {
    const entry = this.#entries.get(sequence.producerId);
    if (!entry) return { kind: "next" };
    if (sequence.producerEpoch < entry.producerEpoch) {
      return { kind: "fenced", currentEpoch: entry.producerEpoch };
    }
    if (sequence.producerEpoch > entry.producerEpoch) {
      return sequence.baseSequence === 0 ? { kind: "next" } : { kind: "outOfOrder", expectedSequence: 0 };
    }
    const lastSequence = lastSequenceOf(sequence);
    const duplicate = entry.batches.find(
      (batch) => batch.baseSequence === sequence.baseSequence && batch.lastSequence === lastSequence,
    );
    if (duplicate) return { kind: "duplicate", batch: duplicate };
    const last = entry.batches.at(-1);
    const expectedSequence = last ? sequenceAfter(last.lastSequence, 1) : 0;
    if (last && sequence.baseSequence !== expectedSequence) return { kind: "outOfOrder", expectedSequence };
    return { kind: "next" };
  }

  /** Remembers an appended batch; what lies above `committedOffset` comes on top of the window, because it may be taken back. */
  append(
    sequence: ProducerSequence,
    place: { readonly baseOffset: number; readonly nextOffset: number; readonly maxTimestampMs: number },
    nowMs: number,
    committedOffset = Infinity,
  ): void {
    const entry = this.#entries.get(sequence.producerId);
    const kept = entry?.producerEpoch === sequence.producerEpoch ? entry.batches : [];
    const batch: ProducedBatch = {
      baseSequence: sequence.baseSequence,
      lastSequence: lastSequenceOf(sequence),
      ...place,
    };
    this.#entries.set(sequence.producerId, {
      producerId: sequence.producerId,
      producerEpoch: sequence.producerEpoch,
      batches: [...windowOf(kept, committedOffset), batch],
      lastAppendMs: nowMs,
    });
  }

  /** Takes back batches that are not committed: leadership is lost, and others may get their offsets. */
  truncateTo(committedOffset: number): void {
    for (const entry of this.#entries.values()) {
      if ((entry.batches.at(-1)?.nextOffset ?? 0) <= committedOffset) continue;
      const batches = entry.batches.filter(({ nextOffset }) => nextOffset <= committedOffset);
      if (batches.length === 0) this.#entries.delete(entry.producerId);
      else this.#entries.set(entry.producerId, { ...entry, batches });
    }
  }

  /** Forgets producers that have not appended since `expirationMs` (producer.id.expiration.ms). */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (nowMs - entry.lastAppendMs >= expirationMs) this.#entries.delete(entry.producerId);
    }
  }
}

/** What stays of a producer's batches when one more comes: enough for a full window whatever is taken back. */
function windowOf(batches: readonly ProducedBatch[], committedOffset: number): readonly ProducedBatch[] {
  let start = Math.max(0, batches.length + 1 - windowBatches);
  while (start > 0 && (batches[start + windowBatches - 2]?.nextOffset ?? Infinity) > committedOffset)
    start -= 1;
  return batches.slice(start);
}

function lastSequenceOf(sequence: ProducerSequence): number {
  return sequenceAfter(sequence.baseSequence, sequence.recordCount - 1);
}

/** Sequences wrap from 2^31 - 1 to 0. */
function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequenceModulus;
}
