import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { blockBytes, type DiskErrorCode, type FileSystem } from "#storage/io/file.ts";

/** A fresh file system and an existing, empty directory on it. */
export interface FileSystemUnderTest {
  files: FileSystem;
  directory: string;
}

/** What every file system owes its callers; `make` gives a fresh one for each test. */
export function fileSystemContract(name: string, make: () => Promise<FileSystemUnderTest>): void {
  const arena = new BufferArena({ bytesMax: 4 * 1024 * 1024 });

  /** Aligned memory of `blocks` blocks, each filled with its own byte. */
  function pattern(blocks: number, firstByte: number): Uint8Array {
    const bytes = arena.allocate(blocks * blockBytes);
    for (let i = 0; i < blocks; i++) bytes.fill(firstByte + i, i * blockBytes, (i + 1) * blockBytes);
    return bytes;
  }

  async function refusal(promise: Promise<unknown>): Promise<DiskErrorCode> {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert(error instanceof Error && "code" in error, `expected a DiskError, got ${error}`);
    return error.code as DiskErrorCode;
  }

  describe(`${name} keeps the file system's contract`, () => {
    test("what was written is read back, in place", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      await file.write(0, pattern(3, 1));
      await file.write(blockBytes, pattern(1, 9));
      const into = arena.allocate(3 * blockBytes);
      expect(await file.read(0, into)).toBe(3 * blockBytes);
      expect([into[0], into[blockBytes], into[2 * blockBytes]]).toEqual([1, 9, 3]);
      expect(await file.sizeBytes()).toBe(3 * blockBytes);
    });

    test("a write past the end leaves zeros between", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      await file.write(4 * blockBytes, pattern(1, 7));
      const into = arena.allocate(5 * blockBytes).fill(255);
      expect(await file.read(0, into)).toBe(5 * blockBytes);
      expect(into.subarray(0, 4 * blockBytes).every((byte) => byte === 0)).toBe(true);
      expect(into[4 * blockBytes]).toBe(7);
    });

    test("a read over the end answers what there is, one past it nothing", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      await file.write(0, pattern(2, 1));
      expect(await file.read(blockBytes, arena.allocate(4 * blockBytes))).toBe(blockBytes);
      expect(await file.read(2 * blockBytes, arena.allocate(blockBytes))).toBe(0);
      expect(await file.read(16 * blockBytes, arena.allocate(blockBytes))).toBe(0);
    });

    test("a file cut off the block grid is readable to its exact end", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      await file.write(0, pattern(3, 1));
      await file.resize(2 * blockBytes + 123);
      expect(await file.sizeBytes()).toBe(2 * blockBytes + 123);
      const into = arena.allocate(8 * blockBytes);
      expect(await file.read(0, into)).toBe(2 * blockBytes + 123);
      expect(into[2 * blockBytes + 122]).toBe(3);
      expect(await file.read(2 * blockBytes, into)).toBe(123);
    });

    test("a file that grows again does not bring back what was cut", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      await file.write(0, pattern(2, 5));
      await file.resize(100);
      await file.resize(2 * blockBytes);
      const into = arena.allocate(2 * blockBytes).fill(255);
      expect(await file.read(0, into)).toBe(2 * blockBytes);
      expect(into[99]).toBe(5);
      expect(into.subarray(100).every((byte) => byte === 0)).toBe(true);
    });

    test("content stays when a file is opened again, also under a new name", async () => {
      const { files, directory } = await make();
      const file = await files.open(join(directory, "a"), "create");
      await file.write(0, pattern(1, 3));
      await file.close();
      await files.rename(join(directory, "a"), join(directory, "b"));
      await files.syncDirectory(directory);
      await using again = await files.open(join(directory, "b"), "existing");
      const into = arena.allocate(blockBytes);
      await again.read(0, into);
      expect(into[17]).toBe(3);
      expect(await files.list(directory)).toEqual(["b"]);
    });

    test("rename replaces, and an open file goes on under its handle", async () => {
      const { files, directory } = await make();
      await using a = await files.open(join(directory, "a"), "create");
      await using b = await files.open(join(directory, "b"), "create");
      await a.write(0, pattern(1, 1));
      await b.write(0, pattern(1, 2));
      await files.rename(join(directory, "a"), join(directory, "b"));
      await using replaced = await files.open(join(directory, "b"), "existing");
      const into = arena.allocate(blockBytes);
      await replaced.read(0, into);
      expect(into[0]).toBe(1);
      await b.read(0, into);
      expect(into[0]).toBe(2);
    });

    test("open tells a file that is there from one that is not", async () => {
      const { files, directory } = await make();
      const path = join(directory, "a");
      expect(await refusal(files.open(path, "existing"))).toBe("missing");
      await (await files.open(path, "create")).close();
      expect(await refusal(files.open(path, "create"))).toBe("exists");
      expect(await refusal(files.open(join(directory, "none", "a"), "create"))).toBe("missing");
      expect(await refusal(files.rename(join(directory, "none"), path))).toBe("missing");
      expect(await files.exists(path)).toBe(true);
      expect(await files.exists(join(directory, "none"))).toBe(false);
    });

    test("directories are listed sorted, made with their parents and removed with their content", async () => {
      const { files, directory } = await make();
      const deep = join(directory, "x", "y");
      await files.makeDirectory(deep);
      await files.makeDirectory(deep);
      for (const name of ["b", "a"]) await (await files.open(join(deep, name), "create")).close();
      await files.syncDirectory(deep);
      expect(await files.list(deep)).toEqual(["a", "b"]);
      expect(await files.list(directory)).toEqual(["x"]);
      expect(await files.list(join(directory, "none"))).toEqual([]);
      await files.removeDirectory(join(directory, "x"));
      await files.removeDirectory(join(directory, "x"));
      expect(await files.list(directory)).toEqual([]);
      expect(await files.exists(join(deep, "a"))).toBe(false);
    });

    test("removing is no error when nothing is there", async () => {
      const { files, directory } = await make();
      await (await files.open(join(directory, "a"), "create")).close();
      await files.remove(join(directory, "a"));
      await files.remove(join(directory, "a"));
      expect(await files.list(directory)).toEqual([]);
    });

    test("positions, lengths and memory off the block grid are refused", async () => {
      const { files, directory } = await make();
      await using file = await files.open(join(directory, "a"), "create");
      const bytes = arena.allocate(2 * blockBytes);
      await expect(async () => file.write(1, bytes)).rejects.toThrow();
      await expect(async () => file.write(0, bytes.subarray(0, 100))).rejects.toThrow();
      await expect(async () => file.write(0, bytes.subarray(8, blockBytes + 8))).rejects.toThrow();
      await expect(async () => file.read(0, bytes.subarray(0, 100))).rejects.toThrow();
    });

    test("free space, and the disk's size, are told where files lie", async () => {
      const { files, directory } = await make();
      const freeBytes = await files.freeBytes(directory);
      expect(freeBytes).toBeGreaterThan(0);
      expect(await files.totalBytes(directory)).toBeGreaterThanOrEqual(freeBytes);
    });
  });
}
