/** What a reader asks of a log. */
export interface ReadRequest {
  /** The answer begins with the batch that contains it, or with the next one where none does. */
  readonly offset: number;
  readonly maxBytes: number;
  /** No batch that reaches beyond it: the high watermark or last stable offset. */
  readonly upToOffset: number;
  /** The first batch comes even when it alone is over `maxBytes` (KIP-74). */
  readonly atLeastOneBatch: boolean;
}

/** Whole batches, byte for byte, in order: views of memory that nobody writes to any more. */
export interface LogSlice {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly batchCount: number;
  /** Base offset of the first batch; the offset asked for when there is none. */
  readonly firstOffset: number;
  /** One past the last batch; the offset asked for when there is none. */
  readonly nextOffset: number;
}

/** Gathers batches until the request's limits are met. */
export class SliceBuilder {
  readonly #request: ReadRequest;
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #batchCount = 0;
  #firstOffset: number;
  #nextOffset: number;

  constructor(request: ReadRequest) {
    this.#request = request;
    this.#firstOffset = request.offset;
    this.#nextOffset = request.offset;
  }

  get isEmpty(): boolean {
    return this.#batchCount === 0;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Whether a batch of this size and end may come next. */
  accepts(batch: { sizeBytes: number; nextOffset: number }): boolean {
    if (batch.nextOffset > this.#request.upToOffset) return false;
    if (this.isEmpty && this.#request.atLeastOneBatch) return true;
    return this.#sizeBytes + batch.sizeBytes <= this.#request.maxBytes;
  }

  /** Adds the next batch; false, and nothing added, when a limit is met. */
  add(bytes: Uint8Array, batch: { baseOffset: number; nextOffset: number }): boolean {
    if (!this.accepts({ sizeBytes: bytes.length, nextOffset: batch.nextOffset })) return false;
    if (this.isEmpty) this.#firstOffset = batch.baseOffset;
    this.#batchCount++;
    this.#sizeBytes += bytes.length;
    this.#nextOffset = batch.nextOffset;
    this.#addChunk(bytes);
    return true;
  }

  finish(): LogSlice {
    return {
      chunks: this.#chunks,
      sizeBytes: this.#sizeBytes,
      batchCount: this.#batchCount,
      firstOffset: this.#firstOffset,
      nextOffset: this.#nextOffset,
    };
  }

  /** Neighbours in memory become one view: a shorter gather list. */
  #addChunk(bytes: Uint8Array): void {
    const last = this.#chunks.at(-1);
    if (last && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#chunks[this.#chunks.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + bytes.length,
      );
      return;
    }
    this.#chunks.push(bytes);
  }
}
