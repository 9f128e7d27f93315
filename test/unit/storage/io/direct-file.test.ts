import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { openDirectFileSystem, type WriteMode } from "#storage/io/direct-file.ts";
import { diskError } from "#storage/io/disk-errors.ts";
import { blockBytes } from "#storage/io/file.ts";

const arena = new BufferArena({ bytesMax: 16 * 1024 * 1024 });

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-direct-"));
});
afterEach(async () => {
  await chmod(directory, 0o755);
  await rm(directory, { recursive: true, force: true });
});

describe("the machine's file system", () => {
  test("is probed once, reports its mode and leaves nothing of the probe", async () => {
    const modes: WriteMode[] = [];
    const files = await openDirectFileSystem({
      probeDirectory: directory,
      onMode: ({ mode }) => modes.push(mode),
    });
    await (await files.open(join(directory, "a"), "create")).close();
    expect(modes).toEqual([files.mode]);
    expect(await readdir(directory)).toEqual(["a"]);
  });

  test("refuses a probe directory that is not there", async () => {
    await expect(openDirectFileSystem({ probeDirectory: join(directory, "none") })).rejects.toMatchObject({
      code: "missing",
    });
  });

  test.each(["direct", "buffered"] as const)(
    "keeps many writes and reads at once apart: %s",
    async (mode) => {
      const probed = await openDirectFileSystem({ probeDirectory: directory });
      const files = await openDirectFileSystem({
        probeDirectory: directory,
        mode: probed.mode === "direct" ? mode : "buffered",
        writesInFlightMax: 2,
      });
      await using file = await files.open(join(directory, "a"), "create");
      const blocks = Array.from({ length: 40 }, (_, at) => arena.allocate(blockBytes).fill(at + 1));
      await Promise.all(blocks.map((bytes, at) => file.write(at * blockBytes, bytes)));
      for (const bytes of blocks) bytes.fill(0);
      await Promise.all(blocks.map((bytes, at) => file.read(at * blockBytes, bytes)));
      expect(blocks.map((bytes) => bytes[blockBytes - 1])).toEqual(blocks.map((_, at) => at + 1));
      for (const bytes of blocks) arena.release(bytes);
    },
  );

  test("says what it could not do, to what, and why", async () => {
    const files = await openDirectFileSystem({ probeDirectory: directory });
    const path = join(directory, "none");
    await expect(files.open(path, "existing")).rejects.toThrow(`Cannot open "${path}": ENOENT`);
    await using file = await files.open(join(directory, "closed"), "create");
    await file.close();
    await expect(file.sizeBytes()).rejects.toThrow(`Cannot ask the size of "${file.path}"`);
  });

  test("closes a file only after the calls under way, and takes no more", async () => {
    const files = await openDirectFileSystem({ probeDirectory: directory, writesInFlightMax: 1 });
    const file = await files.open(join(directory, "a"), "create");
    const bytes = arena.allocate(64 * blockBytes).fill(5);
    // The second one still waits for its turn when the file is closed.
    const writing = Promise.all([file.write(0, bytes), file.write(0, bytes)]);
    const closing = file.close();
    await expect(file.write(0, bytes)).rejects.toThrow("closed");
    await expect(file.read(0, bytes)).rejects.toThrow("closed");
    await writing;
    await closing;
    await using again = await files.open(join(directory, "a"), "existing");
    expect(await again.read(0, bytes.fill(0))).toBe(64 * blockBytes);
    expect(bytes.every((byte) => byte === 5)).toBe(true);
  });
});

describe("a system error", () => {
  test.each([
    ["ENOSPC", "full"],
    ["EDQUOT", "full"],
    ["EIO", "io"],
    ["EINVAL", "io"],
    ["ENOENT", "missing"],
    ["EEXIST", "exists"],
    ["EACCES", "permission"],
    ["EPERM", "permission"],
    ["EROFS", "permission"],
    ["EMFILE", "busy"],
  ])("%s becomes %s", (system, code) => {
    const cause = Object.assign(new Error("why"), { code: system });
    const error = diskError("write", "/a", cause);
    expect(error).toMatchObject({ code, message: 'Cannot write "/a": why', cause });
  });
});
