/** Bytes that are read from all sockets in one turn of the event loop before each has to wait for the next. */
const turnBytesMax = 4 << 20;

/** Something that receives and can be stopped for a while. */
export interface Receiver {
  hold(): void;
  release(): void;
}

/**
 * Shares the turns of the event loop out among those who receive.
 *
 * Node reads from a socket for as long as there is something, up to 32 times its buffer: with 200 clients that send as
 * fast as they can one turn took in 400 MB, and everybody else waited for seconds.
 */
export class ReadTurn {
  readonly #soon: (callback: () => void) => void;
  readonly #held = new Set<Receiver>();
  #bytes = 0;

  /** `soon` runs a callback in the next turn. */
  constructor(soon: (callback: () => void) => void = setImmediate) {
    this.#soon = soon;
  }

  /** Something was received: once the turn's share is used up, its receiver is held until the next one. */
  take(sizeBytes: number, receiver: Receiver): void {
    if (this.#bytes === 0) this.#soon(() => this.#next());
    this.#bytes += sizeBytes;
    if (this.#bytes < turnBytesMax || this.#held.has(receiver)) return;
    this.#held.add(receiver);
    receiver.hold();
  }

  #next(): void {
    this.#bytes = 0;
    const held = [...this.#held];
    this.#held.clear();
    for (const receiver of held) receiver.release();
  }
}
