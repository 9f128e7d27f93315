/** Many frames lie in one; no larger, as one batch in the cache keeps all of it. */
const slabBytes = 1 << 20;
/** A larger frame has memory of its own. */
const slabbedBytesMax = 128 << 10;

/**
 * Memory for requests whose records stay in memory: frames that come one after the other lie side by side.
 *
 * A buffer for each would cost more than its bytes do: every one is an object outside the heap that the garbage
 * collector has to find and free again, and the allocator's gaps between them add a half to what is held.
 */
export class FrameSlabs {
  #slab = Buffer.alloc(0);
  #usedBytes = 0;

  /** The frame, once more: in a slab, or alone where it is too large. */
  copy(frame: Buffer): Buffer {
    const kept = this.#take(frame.length);
    frame.copy(kept);
    return kept;
  }

  /** Whether a frame of that size goes into a slab. */
  holds(sizeBytes: number): boolean {
    return sizeBytes <= slabbedBytesMax;
  }

  #take(sizeBytes: number): Buffer {
    if (!this.holds(sizeBytes)) return Buffer.allocUnsafeSlow(sizeBytes);
    if (this.#usedBytes + sizeBytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#usedBytes = 0;
    }
    const start = this.#usedBytes;
    this.#usedBytes += sizeBytes;
    return this.#slab.subarray(start, this.#usedBytes);
  }
}
