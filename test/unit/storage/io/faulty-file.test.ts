import { describe, expect, test } from "vitest";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import {
  CrashedError,
  type CrashMode,
  crashModes,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import { blockBytes } from "#storage/io/file.ts";
import { seededRandom } from "../seeded-random.ts";

const arena = new BufferArena({ bytesMax: 64 * 1024 * 1024 });
const random = seededRandom(1);

function filled(byte: number, blocks = 1): Uint8Array {
  return arena.allocate(blocks * blockBytes).fill(byte);
}

async function diskWithFile(options: FaultyFileSystemOptions = {}) {
  const disk = new FaultyFileSystem(options);
  await disk.makeDirectory("/d");
  const file = await disk.open("/d/a", "create");
  await disk.syncDirectory("/d");
  return { disk, file };
}

async function content(disk: FaultyFileSystem, path: string, blocks: number): Promise<Uint8Array> {
  const into = arena.allocate(blocks * blockBytes).fill(0);
  await (await disk.open(path, "existing")).read(0, into);
  return into;
}

describe("a faulty disk", () => {
  test("keeps what was answered through every crash", async () => {
    for (const mode of crashModes) {
      const { disk, file } = await diskWithFile();
      await file.write(0, filled(7, 2));
      const after = disk.crash({ mode, random });
      expect(await content(after, "/d/a", 2)).toEqual(filled(7, 2));
    }
  });

  test("loses a creation, a rename and a removal whose directory was not synced", async () => {
    const { disk } = await diskWithFile();
    await disk.open("/d/b", "create");
    await disk.rename("/d/a", "/d/c");
    await disk.remove("/d/b");
    expect(await disk.list("/d")).toEqual(["c"]);
    expect(await disk.crash({ mode: "drop", random }).list("/d")).toEqual(["a"]);
  });

  test("keeps them once it was synced", async () => {
    const { disk } = await diskWithFile();
    await disk.rename("/d/a", "/d/c");
    await disk.syncDirectory("/d");
    expect(await disk.crash({ mode: "drop", random }).list("/d")).toEqual(["c"]);
  });

  test("may keep any entries of a directory that was not synced", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = await diskWithFile();
      await disk.open("/d/b", "create");
      await disk.rename("/d/a", "/d/c");
      const after = disk.crash({ mode: "subset", random: seededRandom(seed) });
      seen.add((await after.list("/d")).join());
    }
    expect([...seen].sort()).toEqual(["a", "a,b", "b,c", "c"]);
  });

  test("leaves blocks of a write in flight by the crash's mode", async () => {
    const seen = new Map<string, Set<string>>(crashModes.map((mode) => [mode, new Set()]));
    for (const mode of crashModes) {
      for (let seed = 0; seed < 80; seed++) {
        const after = await crashDuringWrite(mode, seed);
        const bytes = await content(after, "/d/a", 3);
        const blocks = [0, 1, 2].map((block) => {
          const part = bytes.subarray(block * blockBytes, (block + 1) * blockBytes);
          return part.every((byte) => byte === 2) ? "2" : part.every((byte) => byte === 1) ? "1" : "x";
        });
        seen.get(mode)?.add(blocks.join(""));
      }
    }
    expect([...(seen.get("drop") ?? [])]).toEqual(["111"]);
    expect([...(seen.get("prefix") ?? [])].sort()).toEqual(["111", "211", "221", "222"]);
    expect(seen.get("subset")?.size).toBe(8);
    expect(seen.get("torn")?.has("xxx")).toBe(true);
  });

  test("rejects every call of the process that crashed", async () => {
    const { disk, file } = await diskWithFile();
    disk.crash({ mode: "drop", random });
    await expect(file.write(0, filled(1))).rejects.toThrow(CrashedError);
    await expect(file.read(0, filled(1))).rejects.toThrow(CrashedError);
    await expect(disk.list("/d")).rejects.toThrow(CrashedError);
    await expect(disk.open("/d/b", "create")).rejects.toThrow(CrashedError);
  });

  test("fills up at its capacity, zeros included, and frees what is removed", async () => {
    const { disk, file } = await diskWithFile({ capacityBytes: 4 * blockBytes });
    await file.write(0, filled(0, 3));
    await expect(file.write(blockBytes, filled(1, 4))).rejects.toMatchObject({ code: "full" });
    await file.write(0, filled(1, 3));
    expect(await disk.freeBytes()).toBe(blockBytes);
    await disk.remove("/d/a");
    expect(await disk.freeBytes()).toBe(4 * blockBytes);
  });

  test("fails the changes and reads that it is told to", async () => {
    const { file } = await diskWithFile({
      failChange: ({ kind }) => (kind === "write" ? "io" : undefined),
      onRead: (_path, position) => (position > 0 ? "io" : undefined),
    });
    await expect(file.write(0, filled(9, 2))).rejects.toMatchObject({ code: "io" });
    await expect(file.read(blockBytes, filled(0))).rejects.toMatchObject({ code: "io" });
  });

  test("flips bits of a read or of the medium", async () => {
    const { disk, file } = await diskWithFile({
      onRead: (_path, _position, bytes) => {
        bytes[5] = (bytes[5] ?? 0) ^ 1;
        return undefined;
      },
    });
    await file.write(0, filled(0));
    disk.rot("/d/a", 9, 0x80);
    const into = filled(0);
    await file.read(0, into);
    expect([into[5], into[9]]).toEqual([1, 0x80]);
  });

  test("catches memory that changes while its write is in flight", async () => {
    const { file } = await diskWithFile();
    const bytes = filled(1);
    const writing = file.write(0, bytes);
    bytes[0] = 2;
    await expect(writing).rejects.toThrow("memory changed");
  });
});

async function crashDuringWrite(mode: CrashMode, seed: number): Promise<FaultyFileSystem> {
  let after: FaultyFileSystem | undefined;
  const { disk, file } = await diskWithFile({
    onChange: ({ number, kind }, phase) => {
      if (kind !== "write" || number < 5 || phase !== "started") return;
      after = disk.crash({ mode, random: seededRandom(seed) });
    },
  });
  await file.write(0, filled(1, 3));
  await expect(file.write(0, filled(2, 3))).rejects.toThrow(CrashedError);
  return after ?? disk;
}
