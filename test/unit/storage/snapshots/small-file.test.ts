import { describe, expect, test } from "vitest";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { CrashedError, crashModes, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import {
  readFile,
  readSnapshot,
  replaceFile,
  SnapshotCorruptError,
  writeSnapshot,
} from "#storage/snapshots/small-file.ts";
import { fakeChecksum } from "../log/fake-batch.ts";

const arena = new BufferArena({ bytesMax: 8 * 1024 * 1024 });
const path = "/data/snapshot";

async function disk(files = new MemoryFileSystem()) {
  await files.makeDirectory("/data");
  return { files, arena, checksum: fakeChecksum };
}

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);

describe("files", () => {
  test("come back byte for byte, whatever their length", async () => {
    const on = await disk();
    for (const length of [0, 1, 4095, 4096, 4097, 1_048_576, 1_048_577, 2_500_000]) {
      await replaceFile(on, path, bytes(length));
      const read = await readFile(on, path);
      expect(read?.length).toBe(length);
      expect(Buffer.compare(read ?? new Uint8Array(), bytes(length))).toBe(0);
    }
    expect(await on.files.list("/data")).toEqual(["snapshot"]);
    expect(arena.usedBytes).toBe(0);
  });

  test("that are not there answer undefined", async () => {
    expect(await readFile(await disk(), path)).toBeUndefined();
  });

  test("left over from an unfinished replacement are no obstacle", async () => {
    const on = await disk();
    await (await on.files.open(`${path}.tmp`, "create")).close();
    await replaceFile(on, path, bytes(10));
    expect(await readFile(on, path)).toEqual(bytes(10));
  });
});

describe("snapshots", () => {
  test("come back with their version", async () => {
    const on = await disk();
    expect(await readSnapshot(on, path)).toBeUndefined();
    await writeSnapshot(on, path, { version: 7, payload: bytes(5000) });
    expect(await readSnapshot(on, path)).toMatchObject({ version: 7, payload: bytes(5000) });
  });

  test("tell damage in any byte, and missing and added ones", async () => {
    const on = await disk();
    await writeSnapshot(on, path, { version: 7, payload: bytes(20) });
    const whole = (await readFile(on, path)) ?? new Uint8Array();
    const damaged = [...whole.keys()].map((at) => whole.map((byte, i) => (i === at ? byte ^ 16 : byte)));
    for (const contents of [
      ...damaged,
      whole.subarray(0, 30),
      whole.subarray(0, 3),
      Buffer.concat([whole, whole]),
    ]) {
      await replaceFile(on, path, contents);
      await expect(readSnapshot(on, path)).rejects.toThrow(SnapshotCorruptError);
    }
  });

  test("are the old or the new one after a crash at any change", async () => {
    for (const mode of crashModes) {
      for (let crashAt = 1; ; crashAt++) {
        let survivor: FaultyFileSystem | undefined;
        const files: FaultyFileSystem = new FaultyFileSystem({
          onChange: (change, phase) => {
            if (change.number === crashAt && phase === "started")
              survivor = files.crash({ mode, random: () => 0.4 });
          },
        });
        let acknowledged = 0;
        try {
          const on = { files, arena, checksum: fakeChecksum };
          await files.makeDirectory("/data");
          for (const version of [1, 2]) {
            await writeSnapshot(on, path, { version, payload: bytes(9000, version) });
            acknowledged = version;
          }
        } catch (error) {
          if (!(error instanceof CrashedError)) throw error;
        }
        if (!survivor) break;
        const found = await readSnapshot({ files: survivor, arena, checksum: fakeChecksum }, path);
        expect(found?.version ?? 0).toBeGreaterThanOrEqual(acknowledged);
        if (found) expect(found.payload).toEqual(bytes(9000, found.version));
      }
    }
  });
});
