/**
 * How far a segment's timestamps had come at some of its batches: the contents of Kafka's `.timeindex` file.
 *
 * | bytes | field     |                                                                        |
 * |-------|-----------|------------------------------------------------------------------------|
 * | 8     | timestamp | the largest so far, milliseconds since 1970                             |
 * | 4     | offset    | base offset of the batch that holds it, relative to the segment's        |
 *
 * Every record before that batch is older than the timestamp, so a search by time may begin there.
 */
export class TimeIndex {
  static readonly entryBytes = 12;

  readonly #baseOffset: number;
  #timestampsMs = new Float64Array(64);
  #offsets = new Uint32Array(64);
  #count = 0;

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#count * TimeIndex.entryBytes;
  }

  /** Adds an entry when its timestamp is a new largest one; else the last entry says as much. */
  add(entry: { timestampMs: number; offset: number }): void {
    if (entry.timestampMs < 0) return;
    if (this.#count > 0 && entry.timestampMs <= (this.#timestampsMs[this.#count - 1] ?? 0)) return;
    if (this.#count === this.#offsets.length) this.#grow();
    this.#timestampsMs[this.#count] = entry.timestampMs;
    this.#offsets[this.#count] = entry.offset - this.#baseOffset;
    this.#count++;
  }

  /** An offset at or before the first record that is at least `timestampMs`; the base offset when nothing closer is known. */
  lookup(timestampMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timestampsMs[middle] ?? 0) <= timestampMs) low = middle + 1;
      else high = middle;
    }
    return this.#baseOffset + (low === 0 ? 0 : (this.#offsets[low - 1] ?? 0));
  }

  /** Forgets batches from `nextOffset` on. */
  cut(nextOffset: number): void {
    const relative = nextOffset - this.#baseOffset;
    while (this.#count > 0 && (this.#offsets[this.#count - 1] ?? 0) >= relative) this.#count--;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.sizeBytes);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#count; i++) {
      const timestampMs = this.#timestampsMs[i] ?? 0;
      view.setUint32(i * 12, Math.floor(timestampMs / 0x1_0000_0000));
      view.setUint32(i * 12 + 4, timestampMs % 0x1_0000_0000);
      view.setInt32(i * 12 + 8, this.#offsets[i] ?? 0);
    }
    return bytes;
  }

  /** Reads a file's contents; undefined when they cannot be an index of a segment that ends at `nextOffset`. */
  static decode(
    bytes: Uint8Array,
    segment: { baseOffset: number; nextOffset: number },
  ): TimeIndex | undefined {
    if (bytes.length % TimeIndex.entryBytes !== 0) return undefined;
    const index = new TimeIndex(segment.baseOffset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let previous = { timestampMs: -1, relative: -1 };
    for (let at = 0; at < bytes.length; at += TimeIndex.entryBytes) {
      const timestampMs = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
      const entry = { timestampMs, relative: view.getInt32(at + 8) };
      if (entry.timestampMs <= previous.timestampMs || entry.relative <= previous.relative) return undefined;
      if (segment.baseOffset + entry.relative >= segment.nextOffset) return undefined;
      index.add({ timestampMs, offset: segment.baseOffset + entry.relative });
      previous = entry;
    }
    return index;
  }

  #grow(): void {
    const size = this.#offsets.length * 2;
    const timestampsMs = new Float64Array(size);
    const offsets = new Uint32Array(size);
    timestampsMs.set(this.#timestampsMs);
    offsets.set(this.#offsets);
    this.#timestampsMs = timestampsMs;
    this.#offsets = offsets;
  }
}
