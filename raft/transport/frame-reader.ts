import {
  type Checksum,
  type FrameHeader,
  type FrameLimits,
  frameHeaderBytes,
  openFrame,
  type ReceivedFrame,
  readFrameHeader,
} from "./frame.ts";

/** A body of up to this size gets its whole buffer at once; a larger one as its bytes arrive. */
const firstBufferBytesMax = 256 << 10;

const nothing: Buffer = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames.
 *
 * Chunks are only good until the next one, while payloads are kept: each body gets a buffer of its own, grown with
 * what has really arrived. A peer that announces a big frame and sends nothing of it costs 256 KiB at most.
 */
export class FrameReader {
  readonly #checksum: Checksum;
  readonly #onFrame: (frame: ReceivedFrame) => void;
  readonly #headerBytes = Buffer.alloc(frameHeaderBytes);

  #limits: FrameLimits;
  #headerFilled = 0;
  #header: FrameHeader | undefined;
  #body = nothing;
  #bodyFilled = 0;
  #stopped = false;

  constructor(options: {
    readonly limits: FrameLimits;
    readonly checksum: Checksum;
    readonly onFrame: (frame: ReceivedFrame) => void;
  }) {
    this.#limits = options.limits;
    this.#checksum = options.checksum;
    this.#onFrame = options.onFrame;
  }

  /** Bytes that are allocated for a begun frame. */
  get heldBytes(): number {
    return this.#body.length;
  }

  /** From the next frame on; strangers get less room than peers. */
  setLimits(limits: FrameLimits): void {
    this.#limits = limits;
  }

  /** Hands on no frame any more, not even those in the chunk that is being read. */
  stop(): void {
    this.#stopped = true;
    this.#body = nothing;
  }

  /** Takes the next bytes of the stream and hands on each frame that they complete. @throws FrameError */
  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length && !this.#stopped) {
      position = this.#header
        ? this.#fillBody(this.#header, chunk, position)
        : this.#fillHeader(chunk, position);
    }
  }

  #fillHeader(chunk: Buffer, from: number): number {
    const taken = chunk.copy(this.#headerBytes, this.#headerFilled, from);
    this.#headerFilled += taken;
    const position = from + taken;
    if (this.#headerFilled < frameHeaderBytes) return position;

    this.#headerFilled = 0;
    const header = readFrameHeader(this.#headerBytes, this.#limits);
    const arrivedBytes = chunk.length - position;
    this.#body = allocate(Math.min(header.bodyBytes, Math.max(arrivedBytes, firstBufferBytesMax)));
    this.#bodyFilled = 0;
    this.#header = header;
    if (header.bodyBytes === 0) this.#finish(header);
    return position;
  }

  #fillBody(header: FrameHeader, chunk: Buffer, from: number): number {
    const wanted = Math.min(header.bodyBytes - this.#bodyFilled, chunk.length - from);
    const filled = this.#bodyFilled + wanted;
    if (filled > this.#body.length) this.#grow(header.bodyBytes, filled);
    chunk.copy(this.#body, this.#bodyFilled, from, from + wanted);
    this.#bodyFilled = filled;
    if (filled === header.bodyBytes) this.#finish(header);
    return from + wanted;
  }

  #grow(bodyBytes: number, neededBytes: number): void {
    const grown = allocate(Math.min(bodyBytes, Math.max(neededBytes, this.#body.length * 2)));
    this.#body.copy(grown, 0, 0, this.#bodyFilled);
    this.#body = grown;
  }

  #finish(header: FrameHeader): void {
    const body = this.#body;
    this.#header = undefined;
    this.#body = nothing;
    this.#onFrame(openFrame({ header, headerBytes: this.#headerBytes, body }, this.#checksum));
  }
}

function allocate(sizeBytes: number): Buffer {
  return sizeBytes === 0 ? nothing : Buffer.allocUnsafeSlow(sizeBytes);
}
