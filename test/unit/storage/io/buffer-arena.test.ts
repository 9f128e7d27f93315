import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArenaFullError, BufferArena } from "#storage/io/buffer-arena.ts";
import { blockBytes } from "#storage/io/file.ts";

const mebibyte = 1024 * 1024;

describe("a buffer arena", () => {
  test("hands out whole aligned blocks", () => {
    const arena = new BufferArena({ bytesMax: mebibyte });
    const view = arena.allocate(5000);
    expect(view.byteLength).toBe(2 * blockBytes);
    expect(view.byteOffset % blockBytes).toBe(0);
    expect(arena.usedBytes).toBe(2 * blockBytes);
  });

  test("refuses at its bound and is whole again after every release", () => {
    const arena = new BufferArena({ bytesMax: mebibyte });
    const views = Array.from({ length: 256 }, () => arena.allocate(blockBytes));
    expect(arena.tryAllocate(1)).toBeUndefined();
    expect(() => arena.allocate(1)).toThrow(ArenaFullError);
    for (const view of views) arena.release(view);
    expect(arena.usedBytes).toBe(0);
    expect(arena.allocate(mebibyte).byteLength).toBe(mebibyte);
  });

  test("adds memories up to the bound, and one of its own for a large request", () => {
    const arena = new BufferArena({ bytesMax: 4 * mebibyte, memoryBytes: mebibyte });
    arena.allocate(mebibyte);
    arena.allocate(3 * mebibyte);
    expect(arena.tryAllocate(1)).toBeUndefined();
  });

  test("gives the unused tail of a power of two back", () => {
    const arena = new BufferArena({ bytesMax: 8 * blockBytes, memoryBytes: 65_536 });
    arena.allocate(5 * blockBytes);
    arena.allocate(2 * blockBytes);
    arena.allocate(blockBytes);
    expect(arena.tryAllocate(1)).toBeUndefined();
  });

  test("refuses memory that is not in use, not its own or not whole", () => {
    const arena = new BufferArena({ bytesMax: mebibyte });
    const view = arena.allocate(2 * blockBytes);
    expect(() => arena.release(view.subarray(0, blockBytes))).toThrow();
    expect(() => arena.release(new Uint8Array(blockBytes))).toThrow();
    arena.release(view);
    expect(() => arena.release(view)).toThrow();
  });

  test("never gives one byte to two owners, and merges all that is released", () => {
    const step = fc.record({
      release: fc.boolean(),
      blocks: fc.integer({ min: 1, max: 70 }),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const arena = new BufferArena({ bytesMax: 2 * mebibyte, memoryBytes: mebibyte });
        const owned: { view: Uint8Array; mark: number }[] = [];
        for (const [at, { release, blocks, pick }] of steps.entries()) {
          if (release && owned.length > 0) {
            const [gone] = owned.splice(pick % owned.length, 1);
            if (gone) arena.release(gone.view);
            continue;
          }
          const view = arena.tryAllocate(blocks * blockBytes);
          if (!view) continue;
          view.fill(at % 251);
          owned.push({ view, mark: at % 251 });
        }
        for (const { view, mark } of owned) {
          expect(view.every((byte) => byte === mark)).toBe(true);
          arena.release(view);
        }
        expect(arena.usedBytes).toBe(0);
        expect([arena.tryAllocate(mebibyte), arena.tryAllocate(mebibyte)].includes(undefined)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
