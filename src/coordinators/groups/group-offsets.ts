/** What a group committed for one partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 where the client did not say. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** Set by the retention time of OffsetCommit 2 to 4 only; null = the broker's retention applies. */
  readonly expireTimestampMs: number | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface OffsetEntry extends TopicPartition {
  readonly committed: CommittedOffset;
}

interface Slot {
  committed: CommittedOffset | null;
  /** Append order of what is in `committed`. */
  revision: number;
  /** Commits whose append has not settled. */
  pendingCount: number;
  /** Producers with an open transaction that commits this partition (KIP-447). */
  unstableFor: Set<number> | null;
}

/**
 * A group's committed offsets. A commit is pending until its append settled and only then visible;
 * revisions, taken in append order, keep a late settlement from undoing a newer one.
 */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, Slot>>();
  #revision = 0;

  /** No offset is committed, on its way or held by a transaction. */
  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  /** The visible offset. */
  find(at: TopicPartition): CommittedOffset | undefined {
    return this.#slot(at)?.committed ?? undefined;
  }

  /** Visible offsets, grouped by topic. */
  *entries(): Generator<OffsetEntry> {
    for (const [topic, slots] of this.#topics) {
      for (const [partition, { committed }] of slots) if (committed) yield { topic, partition, committed };
    }
  }

  /** Every partition that has or is about to have an offset: what a deletion must cover. */
  *touched(topic?: string): Generator<TopicPartition> {
    for (const [name, slots] of this.#topics) {
      if (topic !== undefined && name !== topic) continue;
      for (const partition of slots.keys()) yield { topic: name, partition };
    }
  }

  isPending(at: TopicPartition): boolean {
    return (this.#slot(at)?.pendingCount ?? 0) > 0;
  }

  /** Puts an offset that is in the log already, as loading does. */
  restore(at: TopicPartition, committed: CommittedOffset): void {
    const slot = this.#slotOrNew(at);
    slot.committed = committed;
    slot.revision = ++this.#revision;
  }

  /** Announces commits that are being appended; the answer settles them. */
  begin(entries: readonly OffsetEntry[]): PendingCommit {
    const revision = ++this.#revision;
    for (const entry of entries) this.#slotOrNew(entry).pendingCount++;
    return {
      complete: () => this.#settle(entries, revision, true),
      abandon: () => this.#settle(entries, revision, false),
    };
  }

  /** Announces a deletion that is being appended; call the answer once it is durable. */
  beginRemoval(places: readonly TopicPartition[]): () => void {
    const revision = ++this.#revision;
    return () => {
      for (const at of places) {
        const slot = this.#slot(at);
        if (!slot || slot.revision > revision) continue; // Committed anew after the deletion.
        slot.committed = null;
        slot.revision = revision;
        this.#drop(at, slot);
      }
    };
  }

  /** Marks a partition as being committed by an open transaction. */
  holdUnstable(at: TopicPartition, producerId: number): void {
    const slot = this.#slotOrNew(at);
    slot.unstableFor ??= new Set();
    slot.unstableFor.add(producerId);
  }

  /** Ends the marks of a producer's transaction. */
  releaseUnstable(producerId: number): void {
    for (const at of [...this.touched()]) {
      const slot = this.#slot(at);
      if (!slot?.unstableFor?.delete(producerId)) continue;
      if (slot.unstableFor.size === 0) slot.unstableFor = null;
      this.#drop(at, slot);
    }
  }

  isUnstable(at: TopicPartition): boolean {
    return this.#slot(at)?.unstableFor != null;
  }

  #settle(entries: readonly OffsetEntry[], revision: number, isDurable: boolean): void {
    for (const entry of entries) {
      const slot = this.#slot(entry);
      if (!slot) continue;
      slot.pendingCount--;
      if (isDurable && revision >= slot.revision) {
        slot.committed = entry.committed;
        slot.revision = revision;
      }
      this.#drop(entry, slot);
    }
  }

  #slot(at: TopicPartition): Slot | undefined {
    return this.#topics.get(at.topic)?.get(at.partition);
  }

  #slotOrNew(at: TopicPartition): Slot {
    let slots = this.#topics.get(at.topic);
    if (!slots) {
      slots = new Map();
      this.#topics.set(at.topic, slots);
    }
    let slot = slots.get(at.partition);
    if (!slot) {
      slot = { committed: null, revision: 0, pendingCount: 0, unstableFor: null };
      slots.set(at.partition, slot);
    }
    return slot;
  }

  /** Forgets a slot that holds nothing, so that memory follows what is committed. */
  #drop(at: TopicPartition, slot: Slot): void {
    if (slot.committed || slot.pendingCount > 0 || slot.unstableFor) return;
    const slots = this.#topics.get(at.topic);
    slots?.delete(at.partition);
    if (slots?.size === 0) this.#topics.delete(at.topic);
  }
}

/** A commit between its append and its settlement: exactly one of the two is called, once. */
export interface PendingCommit {
  complete(): void;
  abandon(): void;
}
