/** What compaction needs to know of the records in a batch; the protocol's own layout is plugged in by the broker. */
export interface RecordFormat {
  /** False for a batch that stays as it is: its records are neither taken out, nor do they replace others. */
  isCompactable(batch: Uint8Array): boolean;
  /**
   * Goes through the keys of the records that have one, in order, until `onKey` answers false; answers whether it
   * came to the end. Keys are views that are good for the time of the call.
   */
  readKeys(batch: Uint8Array, onKey: (key: Uint8Array, offset: number) => boolean): boolean;
  /**
   * The batch with only those records that `keep` wants; the batch itself when nothing changes, undefined when none is
   * left. Offsets stay, those of the batch too. A kept tombstone sets the batch's delete horizon where it has none.
   */
  filter(batch: Uint8Array, filter: RecordFilter): Uint8Array | undefined;
  /** Until when the batch's tombstones stay, in ms since 1970; undefined when nobody has set that yet. */
  deleteHorizonOf(batch: Uint8Array): number | undefined;
  /** The batch without its records: its offsets are still there. The batch itself when it has none. */
  emptied(batch: Uint8Array): Uint8Array;
  /** 16 bytes or more, evenly spread, the same only for the same key: a collision would lose a record. */
  hashKey(key: Uint8Array): Uint8Array;
}

/** A record as compaction judges it; `key` is a view that is good for the time of the call. */
export interface JudgedRecord {
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly isTombstone: boolean;
}

/** How a batch is filtered. */
export interface RecordFilter {
  readonly keep: (record: JudgedRecord) => boolean;
  readonly deleteHorizonMs: number;
}
