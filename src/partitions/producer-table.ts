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

/** An entry with what counts again where its own batches are taken back. */
interface Remembered extends ProducerEntry {
  /** The producer's epoch before this one, as long as nothing of this one is committed. */
  readonly superseded: Remembered | undefined;
}

/** Batches of one producer that may be in flight and so be sent again (KIP-98: max.in.flight is 5 at most). */
const windowBatches = 5;

const sequenceModulus = 2 ** 31;

/**
 * Which batches each idempotent producer of a partition has appended, so that a batch sent again is
 * answered, not appended again (KIP-98, KIP-185).
 */
export class ProducerTable {
  readonly #entries = new Map<number, Remembered>();

  get size(): number {
    return this.#entries.size;
  }

  /** Whether anything is known of a producer. */
  has(producerId: number): boolean {
    return this.#entries.has(producerId);
  }

  /** All producers, in no order. */
  entries(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  /** All producers as they were when the log ended at an offset. */
  entriesUpTo(offset: number): ProducerEntry[] {
    const entries: ProducerEntry[] = [];
    for (const entry of this.#entries.values()) {
      const remembered = upTo(entry, offset);
      if (!remembered) continue;
      const { producerId, producerEpoch, batches, lastAppendMs } = remembered;
      entries.push({ producerId, producerEpoch, batches, lastAppendMs });
    }
    return entries;
  }

  restore(entries: Iterable<ProducerEntry>): void {
    for (const entry of entries) this.#entries.set(entry.producerId, { ...entry, superseded: undefined });
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
    const isSameEpoch = entry?.producerEpoch === sequence.producerEpoch;
    const kept = isSameEpoch ? entry.batches : [];
    const batch: ProducedBatch = {
      baseSequence: sequence.baseSequence,
      lastSequence: lastSequenceOf(sequence),
      ...place,
    };
    const superseded = isSameEpoch ? entry.superseded : entry && settled(entry, committedOffset);
    const next: Remembered = {
      producerId: sequence.producerId,
      producerEpoch: sequence.producerEpoch,
      batches: [...windowOf(kept, committedOffset), batch],
      lastAppendMs: nowMs,
      superseded,
    };
    this.#entries.set(sequence.producerId, settled(next, committedOffset));
  }

  /** Takes back batches that are not committed: leadership is lost, and others may get their offsets. */
  truncateTo(committedOffset: number): void {
    for (const entry of this.#entries.values()) {
      if ((entry.batches.at(-1)?.nextOffset ?? 0) <= committedOffset) continue;
      const remembered = upTo(entry, committedOffset);
      if (remembered) this.#entries.set(entry.producerId, remembered);
      else this.#entries.delete(entry.producerId);
    }
  }

  /** Forgets producers that have not appended since `expirationMs` (producer.id.expiration.ms). */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (nowMs - entry.lastAppendMs >= expirationMs) this.#entries.delete(entry.producerId);
    }
  }
}

/** An entry without the epoch before it, once its own has something committed. */
function settled(entry: Remembered, committedOffset: number): Remembered {
  if (!entry.superseded || (entry.batches[0]?.nextOffset ?? Infinity) > committedOffset) return entry;
  return { ...entry, superseded: undefined };
}

/** What is left of an entry where the log ends at `offset`; undefined for nothing. */
function upTo(newest: Remembered, offset: number): Remembered | undefined {
  for (let entry: Remembered | undefined = newest; entry; entry = entry.superseded) {
    const batches = entry.batches.filter(({ nextOffset }) => nextOffset <= offset);
    if (batches.length > 0) return { ...entry, batches };
  }
  return undefined;
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
