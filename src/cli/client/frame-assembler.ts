/** A frame that no Kafka broker sends: the peer speaks something else. */
export class ForeignBytesError extends Error {
  constructor(sizeBytes: number) {
    super(`it answers with a frame of ${sizeBytes} bytes`);
    this.name = "ForeignBytesError";
  }
}

const prefixBytes = 4;

/** Larger than any answer that this client asks for; "HTTP" and a TLS alert, read as lengths, are far beyond it. */
const frameBytesMax = 256 << 20;

/** Cuts a byte stream into length-prefixed frames; a frame's memory is made once its length is known. */
export class FrameAssembler {
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixFilled = 0;
  #frame: Buffer | undefined;
  #filled = 0;

  /** The frames that `chunk` completes, without their length prefixes. @throws ForeignBytesError */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let position = 0;
    while (position < chunk.length) {
      if (!this.#frame) {
        position = this.#takePrefix(chunk, position);
        continue;
      }
      const taken = chunk.copy(this.#frame, this.#filled, position);
      this.#filled += taken;
      position += taken;
      if (this.#filled < this.#frame.length) continue;
      frames.push(this.#frame);
      this.#frame = undefined;
    }
    return frames;
  }

  #takePrefix(chunk: Buffer, position: number): number {
    const taken = chunk.copy(this.#prefix, this.#prefixFilled, position);
    this.#prefixFilled += taken;
    if (this.#prefixFilled < prefixBytes) return position + taken;

    const sizeBytes = this.#prefix.readInt32BE(0);
    if (sizeBytes < prefixBytes || sizeBytes > frameBytesMax) throw new ForeignBytesError(sizeBytes);
    this.#prefixFilled = 0;
    this.#frame = Buffer.allocUnsafe(sizeBytes);
    this.#filled = 0;
    return position + taken;
  }
}
