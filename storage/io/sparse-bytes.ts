import assert from "node:assert/strict";

const chunkBytes = 65_536;
const zeroChunk = new Uint8Array(chunkBytes);

/** A file's content in memory: grows on write, and stretches of zeros take no memory. */
export class SparseBytes {
  readonly #chunks = new Map<number, Uint8Array>();
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Memory that the content takes. */
  get usedBytes(): number {
    return this.#chunks.size * chunkBytes;
  }

  /** Memory that writing this range may newly take: a bound, since zeros take none. */
  growthBytes(position: number, sizeBytes: number): number {
    let missing = 0;
    const last = Math.floor((position + sizeBytes - 1) / chunkBytes);
    for (let chunk = Math.floor(position / chunkBytes); chunk <= last; chunk++) {
      if (!this.#chunks.has(chunk)) missing++;
    }
    return missing * chunkBytes;
  }

  write(position: number, bytes: Uint8Array): void {
    for (const { chunk, within, start, end } of chunksOf(position, bytes.byteLength)) {
      const part = bytes.subarray(start, end);
      let target = this.#chunks.get(chunk);
      if (!target) {
        if (Buffer.compare(part, zeroChunk.subarray(0, part.byteLength)) === 0) continue;
        target = new Uint8Array(chunkBytes);
        this.#chunks.set(chunk, target);
      }
      target.set(part, within);
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, position + bytes.byteLength);
  }

  /** Answers the bytes read: fewer than asked only at the end. */
  read(position: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.byteLength, this.#sizeBytes - position));
    for (const { chunk, within, start, end } of chunksOf(position, count)) {
      const source = this.#chunks.get(chunk) ?? zeroChunk;
      into.set(source.subarray(within, within + end - start), start);
    }
    return count;
  }

  resize(sizeBytes: number): void {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0);
    if (sizeBytes < this.#sizeBytes) {
      const last = Math.floor(sizeBytes / chunkBytes);
      for (const chunk of this.#chunks.keys()) if (chunk > last) this.#chunks.delete(chunk);
      // What lies past the end must read as zeros should the file grow again.
      this.#chunks.get(last)?.fill(0, sizeBytes % chunkBytes);
    }
    this.#sizeBytes = sizeBytes;
  }
}

function* chunksOf(
  position: number,
  sizeBytes: number,
): Generator<{ chunk: number; within: number; start: number; end: number }> {
  let start = 0;
  while (start < sizeBytes) {
    const within = (position + start) % chunkBytes;
    const end = Math.min(sizeBytes, start + chunkBytes - within);
    yield { chunk: Math.floor((position + start) / chunkBytes), within, start, end };
    start = end;
  }
}
