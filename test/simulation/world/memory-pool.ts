import type { NewMemory } from "#storage/io/buffer-arena.ts";

/** Large memories that one broker after the other uses, with whatever the last one left in them. */
export class MemoryPool {
  readonly #free: ArrayBuffer[] = [];

  /** Memory for one life of a broker; the second answer gives all of it back. */
  lease(): { readonly newMemory: NewMemory; readonly release: () => void } {
    const leased: ArrayBuffer[] = [];
    return {
      newMemory: (sizeBytes) => {
        const at = this.#free.findIndex(({ byteLength }) => byteLength === sizeBytes);
        const memory = at < 0 ? new ArrayBuffer(sizeBytes) : this.#free.splice(at, 1)[0];
        if (!memory) throw new Error("Cannot happen: the memory found is gone");
        leased.push(memory);
        return memory;
      },
      release: () => {
        this.#free.push(...leased.splice(0));
      },
    };
  }
}
