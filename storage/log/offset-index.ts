/**
 * Where batches of one segment begin, sparsely: the contents of Kafka's `.index` file.
 *
 * | bytes | field    |                                                              |
 * |-------|----------|--------------------------------------------------------------|
 * | 4     | offset   | last offset of a batch, relative to the segment's base offset |
 * | 4     | position | where that batch begins                                      |
 */
export class OffsetIndex {
  static readonly entryBytes = 8;

  readonly #baseOffset: number;
  #lastOffsets = new Uint32Array(64);
  #positions = new Uint32Array(64);
  #count = 0;

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#count * OffsetIndex.entryBytes;
  }

  add(entry: { lastOffset: number; position: number }): void {
    if (this.#count === this.#positions.length) this.#grow();
    this.#lastOffsets[this.#count] = entry.lastOffset - this.#baseOffset;
    this.#positions[this.#count] = entry.position;
    this.#count++;
  }

  /** A position at or before the first batch that reaches `offset`; 0 when nothing closer is known. */
  lookup(offset: number): number {
    const relative = offset - this.#baseOffset;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lastOffsets[middle] ?? 0) <= relative) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.#positions[low - 1] ?? 0);
  }

  /** Forgets batches that begin at or after `position`. */
  cut(position: number): void {
    while (this.#count > 0 && (this.#positions[this.#count - 1] ?? 0) >= position) this.#count--;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.sizeBytes);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#count; i++) {
      view.setInt32(i * 8, this.#lastOffsets[i] ?? 0);
      view.setInt32(i * 8 + 4, this.#positions[i] ?? 0);
    }
    return bytes;
  }

  /** Reads a file's contents; undefined when they cannot be an index of a segment of `segmentBytes`. */
  static decode(
    bytes: Uint8Array,
    segment: { baseOffset: number; sizeBytes: number },
  ): OffsetIndex | undefined {
    if (bytes.length % OffsetIndex.entryBytes !== 0) return undefined;
    const index = new OffsetIndex(segment.baseOffset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let previous = { relative: -1, position: 0 };
    for (let at = 0; at < bytes.length; at += OffsetIndex.entryBytes) {
      const entry = { relative: view.getInt32(at), position: view.getInt32(at + 4) };
      if (entry.relative <= previous.relative || entry.position <= previous.position) return undefined;
      if (entry.position >= segment.sizeBytes) return undefined;
      index.add({ lastOffset: segment.baseOffset + entry.relative, position: entry.position });
      previous = entry;
    }
    return index;
  }

  #grow(): void {
    const size = this.#positions.length * 2;
    const lastOffsets = new Uint32Array(size);
    const positions = new Uint32Array(size);
    lastOffsets.set(this.#lastOffsets);
    positions.set(this.#positions);
    this.#lastOffsets = lastOffsets;
    this.#positions = positions;
  }
}
