/** Something that can be told to stop and go on reading. */
export interface Reader {
  resumeReading(): void;
}

/**
 * The bytes of requests that all connections hold: begun frames, waiting ones and those being answered.
 *
 * Over the bound connections stop reading and go on first come, first served as answers free memory. Where
 * only begun frames are left there is no answer to wait for; then one reader at a time goes on, so that the
 * bound is exceeded by one frame at most and the server never locks up.
 */
export class RequestMemory {
  readonly #bytesMax: number;
  readonly #paused: Reader[] = [];
  #usedBytes = 0;
  #requests = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Requests that wait or are being answered. */
  get requestCount(): number {
    return this.#requests;
  }

  get isOver(): boolean {
    return this.#usedBytes > this.#bytesMax;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#resumeReaders();
  }

  requestBegun(): void {
    this.#requests += 1;
  }

  requestEnded(): void {
    this.#requests -= 1;
    this.#resumeReaders();
  }

  /** Puts a reader that has stopped in line. */
  waitForRoom(reader: Reader): void {
    this.#paused.push(reader);
    this.#resumeReaders();
  }

  leave(reader: Reader): void {
    const at = this.#paused.indexOf(reader);
    if (at >= 0) this.#paused.splice(at, 1);
  }

  #resumeReaders(): void {
    while (this.#paused.length > 0 && !this.isOver) this.#paused.shift()?.resumeReading();
    if (this.#requests === 0) this.#paused.shift()?.resumeReading();
  }
}
