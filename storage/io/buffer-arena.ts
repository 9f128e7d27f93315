import assert from "node:assert/strict";
import { blockBytes } from "./file.ts";

/** What this file uses of the runtime's WebAssembly, whose types belong to the browser's library. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const wasmPageBytes = 65_536;

/** Default size of one WebAssembly memory; the system gives it real pages only as they are touched. */
const memoryBytesDefault = 256 * 1024 * 1024;

export interface BufferArenaOptions {
  readonly bytesMax: number;
  /** Size of one memory. */
  readonly memoryBytes?: number;
  /** Where memories come from, with any content: WebAssembly unless told, which direct I/O needs. */
  readonly newMemory?: NewMemory;
}

/** Makes memory of at least `sizeBytes`. */
export type NewMemory = (sizeBytes: number) => ArrayBuffer;

/** The arena's bound is reached: a caller went past the budget that it was given. */
export class ArenaFullError extends Error {
  constructor(sizeBytes: number, freeBytes: number, bytesMax: number) {
    super(
      `Cannot allocate ${sizeBytes} bytes of aligned memory: ${freeBytes} of ${bytesMax} free, or too scattered`,
    );
    this.name = "ArenaFullError";
  }
}

/**
 * Page-aligned memory for direct I/O, out of a few large WebAssembly memories.
 *
 * The memories never grow, so a view never detaches. Content is whatever the last owner left. Within a memory
 * this is a buddy allocator whose allocations give their unused tail back: no rounding to powers of two, and
 * neighbours merge again on release.
 */
export class BufferArena {
  /** Most bytes that are ever handed out at once. */
  readonly bytesMax: number;
  readonly #memoryBytes: number;
  readonly #newMemory: NewMemory;
  readonly #memories: BuddyMemory[] = [];
  #reservedBytes = 0;
  #usedBytes = 0;

  constructor({
    bytesMax,
    memoryBytes = memoryBytesDefault,
    newMemory = newPageAlignedMemory,
  }: BufferArenaOptions) {
    assert(Number.isSafeInteger(bytesMax) && bytesMax >= blockBytes);
    assert(memoryBytes >= wasmPageBytes);
    this.bytesMax = bytesMax - (bytesMax % blockBytes);
    this.#memoryBytes = memoryBytes;
    this.#newMemory = newMemory;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A view of at least `sizeBytes`, rounded up to whole blocks; throws ArenaFullError at the bound. */
  allocate(sizeBytes: number): Uint8Array {
    const view = this.tryAllocate(sizeBytes);
    if (!view) throw new ArenaFullError(sizeBytes, this.bytesMax - this.#usedBytes, this.bytesMax);
    return view;
  }

  /** As `allocate`, but undefined at the bound: for caches and read-ahead, which can do without. */
  tryAllocate(sizeBytes: number): Uint8Array | undefined {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes > 0);
    const blocks = Math.ceil(sizeBytes / blockBytes);
    for (const memory of this.#memories) {
      const view = memory.allocate(blocks);
      if (view) return this.#count(view);
    }
    const view = this.#addMemory(blocks * blockBytes)?.allocate(blocks);
    return view && this.#count(view);
  }

  /** Gives back a view exactly as `allocate` returned it; giving it back twice is a bug and throws. */
  release(view: Uint8Array): void {
    const memory = this.#memories.find((candidate) => candidate.owns(view));
    assert(memory, "released memory is not from this arena");
    memory.release(view);
    this.#usedBytes -= view.byteLength;
  }

  #count(view: Uint8Array): Uint8Array {
    this.#usedBytes += view.byteLength;
    return view;
  }

  #addMemory(sizeBytes: number): BuddyMemory | undefined {
    const leftBytes = this.bytesMax - this.#reservedBytes;
    // A request above the usual size gets a memory of its own, as long as the bound allows it.
    const memoryBytes = Math.min(Math.max(this.#memoryBytes, sizeBytes), leftBytes);
    if (memoryBytes < sizeBytes) return undefined;
    const memory = new BuddyMemory(Math.floor(memoryBytes / blockBytes), this.#newMemory);
    this.#reservedBytes += memory.blocks * blockBytes;
    this.#memories.push(memory);
    return memory;
  }
}

/** One memory; block numbers inside, views outside. */
class BuddyMemory {
  readonly blocks: number;
  readonly #buffer: ArrayBuffer;
  /** Free ranges of 2^order blocks, each aligned to its own size, by their first block. */
  readonly #free: Set<number>[] = [];
  /** First block → blocks, of what is handed out. */
  readonly #allocated = new Map<number, number>();

  constructor(blocks: number, newMemory: NewMemory) {
    this.blocks = blocks;
    this.#buffer = newMemory(blocks * blockBytes);
    for (let order = 0; 2 ** order <= blocks; order++) this.#free.push(new Set());
    this.#releaseRange(0, blocks);
  }

  owns(view: Uint8Array): boolean {
    return view.buffer === this.#buffer;
  }

  allocate(blocks: number): Uint8Array | undefined {
    const first = this.#take(blocks);
    if (first === undefined) return undefined;
    this.#allocated.set(first, blocks);
    return new Uint8Array(this.#buffer, first * blockBytes, blocks * blockBytes);
  }

  release(view: Uint8Array): void {
    const first = view.byteOffset / blockBytes;
    const blocks = this.#allocated.get(first);
    assert(blocks !== undefined, "released memory is not in use");
    assert(view.byteLength === blocks * blockBytes, "released memory is only a part of what was allocated");
    this.#allocated.delete(first);
    this.#releaseRange(first, blocks);
  }

  #take(blocks: number): number | undefined {
    // A memory whose size is no power of two is free in pieces, yet serves one request of its whole size.
    if (this.#allocated.size === 0 && blocks <= this.blocks) {
      for (const ranges of this.#free) ranges.clear();
      this.#releaseRange(blocks, this.blocks - blocks);
      return 0;
    }
    let order = orderOf(blocks);
    while (order < this.#free.length && this.#free[order]?.size === 0) order++;
    const first = this.#free[order]?.values().next().value;
    if (first === undefined) return undefined;
    this.#free[order]?.delete(first);
    this.#releaseRange(first + blocks, 2 ** order - blocks);
    return first;
  }

  /** Frees any range as the fewest aligned powers of two. */
  #releaseRange(start: number, blocks: number): void {
    let first = start;
    let left = blocks;
    while (left > 0) {
      const alignedOrder = first === 0 ? 31 : Math.log2(first & -first);
      const order = Math.min(alignedOrder, 31 - Math.clz32(left));
      this.#releaseBuddy(first, order);
      first += 2 ** order;
      left -= 2 ** order;
    }
  }

  #releaseBuddy(start: number, startOrder: number): void {
    let first = start;
    let order = startOrder;
    while (order + 1 < this.#free.length && this.#free[order]?.delete(first ^ (1 << order))) {
      first &= ~(1 << order);
      order++;
    }
    this.#free[order]?.add(first);
  }
}

function newPageAlignedMemory(sizeBytes: number): ArrayBuffer {
  const pages = Math.ceil(sizeBytes / wasmPageBytes);
  return new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer;
}

/** Smallest order whose 2^order blocks hold `blocks`. */
function orderOf(blocks: number): number {
  return blocks === 1 ? 0 : 32 - Math.clz32(blocks - 1);
}
