import type { FrameSlabs } from "./frame-slabs.ts";

export interface FrameReaderOptions {
  /** Largest frame that is taken. */
  readonly sizeBytesMax: number;
  readonly slabs: FrameSlabs;
  /** Whether a whole frame belongs into a slab. */
  readonly isSlabbed: (frame: Buffer) => boolean;
  readonly onFrame: (frame: Buffer) => void;
}

/** A peer announced a frame that this broker does not take; the connection cannot go on. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

const lengthBytes = 4;

/** A frame of up to this size gets its whole buffer at once; a larger one as its bytes arrive. */
const firstBufferBytesMax = 256 << 10;

/**
 * Cuts a byte stream into frames of a four-byte length and that many bytes.
 *
 * Chunks are only good until the next one, while frames are kept. Those with records go to a slab once they are
 * whole; any other gets a buffer of exactly its size, grown with what has really arrived: a peer that announces
 * 100 MB and sends nothing costs 256 KiB at most.
 */
export class FrameReader {
  readonly #options: FrameReaderOptions;

  #length = Buffer.alloc(lengthBytes);
  #lengthFilled = 0;
  #sizeBytes = 0;
  #frame: Buffer | undefined;
  #filledBytes = 0;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** Bytes of a begun frame that are held now. */
  get partialBytes(): number {
    return this.#filledBytes;
  }

  /** Takes the next bytes of the stream and hands on each frame that they complete. @throws FrameError */
  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length) {
      position = this.#frame ? this.#fill(chunk, position) : this.#begin(chunk, position);
    }
  }

  #begin(chunk: Buffer, from: number): number {
    let position = from;
    if (this.#lengthFilled === 0 && chunk.length - position >= lengthBytes) {
      this.#sizeBytes = chunk.readInt32BE(position);
      position += lengthBytes;
    } else {
      const taken = chunk.copy(this.#length, this.#lengthFilled, position);
      this.#lengthFilled += taken;
      position += taken;
      if (this.#lengthFilled < lengthBytes) return position;
      this.#lengthFilled = 0;
      this.#sizeBytes = this.#length.readInt32BE(0);
    }
    this.#checkSize();

    const end = position + this.#sizeBytes;
    if (end <= chunk.length) {
      this.#finish(chunk.subarray(position, end), { isOwn: false });
      return end;
    }
    this.#frame = Buffer.allocUnsafeSlow(Math.min(this.#sizeBytes, firstBufferBytesMax));
    this.#filledBytes = 0;
    return position;
  }

  #fill(chunk: Buffer, from: number): number {
    let frame = this.#frame ?? Buffer.alloc(0);
    const wanted = Math.min(this.#sizeBytes - this.#filledBytes, chunk.length - from);
    if (this.#filledBytes + wanted > frame.length) {
      frame = this.#grow(frame, this.#filledBytes + wanted);
      this.#frame = frame;
    }
    chunk.copy(frame, this.#filledBytes, from, from + wanted);
    this.#filledBytes += wanted;
    if (this.#filledBytes === this.#sizeBytes) {
      this.#frame = undefined;
      this.#filledBytes = 0;
      this.#finish(frame, { isOwn: true });
    }
    return from + wanted;
  }

  #finish(frame: Buffer, { isOwn }: { isOwn: boolean }): void {
    const { slabs, isSlabbed, onFrame } = this.#options;
    if (slabs.holds(frame.length) && isSlabbed(frame)) onFrame(slabs.copy(frame));
    else onFrame(isOwn ? frame : alone(frame));
  }

  #grow(frame: Buffer, neededBytes: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#sizeBytes, Math.max(neededBytes, frame.length * 2)));
    frame.copy(grown, 0, 0, this.#filledBytes);
    return grown;
  }

  #checkSize(): void {
    if (this.#sizeBytes < 0 || this.#sizeBytes > this.#options.sizeBytesMax) {
      throw new FrameError(
        `Cannot read a frame of ${this.#sizeBytes} bytes: socket.request.max.bytes is ${this.#options.sizeBytesMax}`,
      );
    }
  }
}

/** In memory of its own size: what a state machine keeps of it must not hold on to anything else. */
function alone(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}
