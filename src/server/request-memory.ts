/** A connection, as far as its share of the memory goes. */
export interface Reader {
  /** There is room again. */
  resumeReading(): void;
  /** Its begun frame is what the memory cannot hold any longer: it must let go of it and end. */
  giveUp(): void;
}

/**
 * The bytes of requests that all connections hold: begun frames, waiting ones and those being answered.
 *
 * Over the bound connections stop reading and go on first come, first served as answers free memory. Where begun
 * frames alone are over it there is no answer to wait for: the one that has been begun first is given up, so that
 * peers who send and stop, or send slowly, cannot lock the others out.
 */
export class RequestMemory {
  readonly #bytesMax: number;
  readonly #paused = new Set<Reader>();
  /** Bytes of each reader's begun frame, in the order in which the frames were begun. */
  readonly #begun = new Map<Reader, number>();
  #begunBytes = 0;
  #requestBytes = 0;
  #requestCount = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#begunBytes + this.#requestBytes;
  }

  /** Requests that wait or are being answered. */
  get requestCount(): number {
    return this.#requestCount;
  }

  get isOver(): boolean {
    return this.usedBytes > this.#bytesMax;
  }

  /** A whole request came in. */
  take(requestBytes: number): void {
    this.#requestCount += 1;
    this.#requestBytes += requestBytes;
  }

  /** It was answered, or its connection has ended. */
  give(requestBytes: number): void {
    this.#requestCount -= 1;
    this.#requestBytes -= requestBytes;
    this.#resumeReaders();
  }

  /** Tells how much of a frame a reader holds; 0 when it has none begun. */
  holdBegun(reader: Reader, bytes: number): void {
    this.#begunBytes += bytes - (this.#begun.get(reader) ?? 0);
    if (bytes > 0) this.#begun.set(reader, bytes);
    else this.#begun.delete(reader);
    while (this.#begunBytes > this.#bytesMax) {
      const [first] = this.#begun.keys();
      if (!first) break;
      first.giveUp();
    }
    this.#resumeReaders();
  }

  /** Puts a reader that has stopped in line. */
  waitForRoom(reader: Reader): void {
    this.#paused.add(reader);
    this.#resumeReaders();
  }

  /** A reader has ended. */
  leave(reader: Reader): void {
    this.#paused.delete(reader);
    this.holdBegun(reader, 0);
  }

  #resumeReaders(): void {
    for (const reader of this.#paused) {
      if (this.isOver) return;
      this.#paused.delete(reader);
      reader.resumeReading();
    }
  }
}
