/** What storage needs to know of a record batch; the protocol's own layout is plugged in by the broker. */
export interface BatchFormat {
  /** Bytes that `readHeader` needs. */
  readonly headerBytes: number;
  /** Reads the header at `position`; at least `headerBytes` are there. Never throws: nonsense in, nonsense out. */
  readHeader(bytes: Uint8Array, position: number): BatchHeader;
  /** True when the whole batch lies in `bytes` and its magic, lengths and checksum hold. */
  isIntact(bytes: Uint8Array, position: number, header: BatchHeader): boolean;
  /**
   * The first record at or after `timestampMs` inside one whole, intact batch, decompressed where needed;
   * undefined when it holds none. Records below `fromOffset`, where the log begins inside the batch, do not count.
   */
  findTimestamp(
    batch: Uint8Array,
    timestampMs: number,
    fromOffset?: number,
  ): { offset: number; timestampMs: number } | undefined;
}

export interface BatchHeader {
  readonly baseOffset: number;
  /** One past the last record's offset. */
  readonly nextOffset: number;
  /** Header and records together. */
  readonly sizeBytes: number;
  /** The Raft term in which the leader took the batch. */
  readonly leaderEpoch: number;
  readonly maxTimestampMs: number;
}
