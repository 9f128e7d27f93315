import assert from "node:assert/strict";

/** How much memory a key map may take, and what it has to hold at most. */
export interface KeyMapSize {
  readonly bytesMax: number;
  /** Share of the slots that may be filled; the fuller, the longer a search. */
  readonly loadFactor: number;
  /** Keys that can come at all: no more memory than for these is taken. */
  readonly keysMax: number;
}

/**
 * The latest offset of each key, by the key's hash, within a fixed number of bytes.
 *
 * Open addressing over typed arrays: 24 bytes a slot, no object per key. Only 128 bits of a hash are kept, which tell
 * keys apart as well as their bytes do as long as the hash is a good one.
 */
export class KeyMap {
  static readonly slotBytes = 24;

  readonly keysMax: number;
  readonly #slots: number;
  /** Four words of each slot's hash. */
  readonly #hashes: Uint32Array;
  /** One more than the offset; 0 marks a free slot. */
  readonly #offsets: Float64Array;
  #count = 0;

  constructor({ bytesMax, loadFactor, keysMax }: KeyMapSize) {
    assert(loadFactor > 0);
    const wanted = Math.ceil(keysMax / Math.min(loadFactor, 1));
    const slots = Math.max(1, Math.min(Math.floor(bytesMax / KeyMap.slotBytes), wanted));
    this.keysMax = Math.max(1, Math.floor(slots * Math.min(loadFactor, 1)));
    // A free slot must be left, for it ends the search for a key that is not there.
    this.#slots = Math.max(slots, this.keysMax + 1);
    this.#hashes = new Uint32Array(this.#slots * 4);
    this.#offsets = new Float64Array(this.#slots);
  }

  get count(): number {
    return this.#count;
  }

  /** Notes an offset, which replaces the key's earlier one; false when there is no room for another key. */
  put(hash: Uint8Array, offset: number): boolean {
    const words = wordsOf(hash);
    const slot = this.#find(words);
    if (this.#offsets[slot] === 0) {
      if (this.#count >= this.keysMax) return false;
      this.#count++;
      this.#hashes.set(words, slot * 4);
    }
    this.#offsets[slot] = offset + 1;
    return true;
  }

  /** The latest offset noted for a key; undefined for one that was never noted. */
  get(hash: Uint8Array): number | undefined {
    const stored = this.#offsets[this.#find(wordsOf(hash))] ?? 0;
    return stored === 0 ? undefined : stored - 1;
  }

  /** The slot that holds a hash, or the free one where it belongs. */
  #find(words: Uint32Array): number {
    let slot = (words[0] ?? 0) % this.#slots;
    while (this.#offsets[slot] !== 0 && !this.#holds(slot, words)) {
      slot++;
      if (slot === this.#slots) slot = 0;
    }
    return slot;
  }

  #holds(slot: number, words: Uint32Array): boolean {
    const at = slot * 4;
    const hashes = this.#hashes;
    return (
      hashes[at] === words[0] &&
      hashes[at + 1] === words[1] &&
      hashes[at + 2] === words[2] &&
      hashes[at + 3] === words[3]
    );
  }
}

const words = new Uint32Array(4);

/** Good until the next call: none is made for each key. */
function wordsOf(hash: Uint8Array): Uint32Array {
  assert(hash.length >= 16);
  for (let i = 0; i < 4; i++) {
    const at = i * 4;
    words[i] =
      (hash[at] ?? 0) |
      ((hash[at + 1] ?? 0) << 8) |
      ((hash[at + 2] ?? 0) << 16) |
      ((hash[at + 3] ?? 0) << 24);
  }
  return words;
}
