import { crc32c } from "@node-rs/crc32";
import { describe, expect, test } from "vitest";
import type { LogStore } from "#raft/host/log-store.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { FaultyFileSystem, type FaultyFileSystemOptions } from "#storage/io/faulty-file.ts";
import type { JournalEntry } from "#storage/journal/entry.ts";
import { sealFrame } from "#storage/journal/frame.ts";
import type { Journal } from "#storage/journal/journal.ts";
import { journalPath } from "#storage/journal/journal-file.ts";
import { JournalCorruptError } from "#storage/journal/replay.ts";
import { seededRandom } from "../seeded-random.ts";
import { payloadOf } from "./journal-model.ts";
import { openSmall, testArena } from "./journal-workload.ts";

const directory = "/data/journal";

function entry(index: number, payload: Uint8Array | number = 100, term = 1): JournalEntry {
  const bytes = typeof payload === "number" ? payloadOf(index, payload) : payload;
  return { index, term, kind: "data", baseOffset: (index - 1) * 10, offsetCount: 10, payload: bytes };
}

function entries(first: number, last: number, payloadBytes = 100, term = 1): JournalEntry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => entry(first + at, payloadBytes, term));
}

/** The disk as a restart finds it. */
function restarted(disk: FaultyFileSystem, options?: FaultyFileSystemOptions): FaultyFileSystem {
  return disk.crash({ mode: "drop", random: seededRandom(1) }, options);
}

async function indexesAfterRestart(disk: FaultyFileSystem, group = 1): Promise<number[]> {
  const { journal, groups } = await openSmall(restarted(disk));
  await journal.close();
  return groups.get(group)?.entries.map(({ index }) => index) ?? [];
}

describe("a journal", () => {
  test("fills the replication module's port, but for reading", async () => {
    const { journal } = await openSmall(new FaultyFileSystem());
    const store: Omit<LogStore, "read"> = journal;
    await store.flush();
    await journal.close();
  });

  test("gives back entries, terms, votes and floors of every kind", async () => {
    const disk = new FaultyFileSystem();
    const { journal, groups } = await openSmall(disk);
    expect(groups.size).toBe(0);
    const log: JournalEntry[] = [
      { index: 1, term: 3, kind: "noop", baseOffset: 0, offsetCount: 0, payload: new Uint8Array(0) },
      { index: 2, term: 3, kind: "data", baseOffset: 0, offsetCount: 7, payload: payloadOf(5, 5000) },
      { index: 3, term: 4, kind: "command", baseOffset: 7, offsetCount: 0, payload: payloadOf(6, 1) },
      { index: 4, term: 4, kind: "configuration", baseOffset: 7, offsetCount: 0, payload: payloadOf(7, 2) },
    ];
    journal.setHardState(2 ** 40, { term: 4, votedFor: 2 });
    journal.append(2 ** 40, log);
    journal.advanceFloor(9, { index: 2 ** 50, term: 2 ** 45 });
    await journal.flush();
    await journal.close();

    const again = await openSmall(restarted(disk));
    expect(again.groups.get(9)).toEqual({
      hardState: { term: 0, votedFor: -1 },
      floor: { index: 2 ** 50, term: 2 ** 45 },
      entries: [],
    });
    const group = again.groups.get(2 ** 40);
    expect(group?.hardState).toEqual({ term: 4, votedFor: 2 });
    const found: JournalEntry[] = [];
    for (const { location, ...rest } of group?.entries ?? []) {
      found.push({ ...rest, payload: await again.journal.readPayload(location) });
    }
    expect(found).toEqual(log);
    expect(again.report).toMatchObject({ tornTail: undefined, lost: [], gaps: [] });
    await again.journal.close();
  });

  test("makes a pass of a thousand groups durable in one write", async () => {
    const writes: number[] = [];
    const disk = new FaultyFileSystem({
      onChange: ({ kind, number }, phase) => kind === "write" && phase === "done" && writes.push(number),
    });
    const { journal } = await openSmall(disk, { fileBytes: 1024 * 1024 });
    journal.append(0, entries(1, 1));
    await journal.flush();
    await settled();
    writes.length = 0;
    for (let group = 1; group <= 1000; group++) journal.append(group, entries(1, 1));
    await journal.flush();
    expect(writes).toHaveLength(1);
    await journal.close();
    expect((await openSmall(restarted(disk))).groups.size).toBe(1001);
  });

  test("makes durable only what was staged when the flush began", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 2));
    const flushing = journal.flush();
    journal.append(1, entries(3, 4));
    expect(journal.stagedBytes).toBeGreaterThan(4096);
    await flushing;
    expect(journal.stagedBytes).toBe(4096);
    expect(await indexesAfterRestart(disk)).toEqual([1, 2]);
  });

  test("copies payloads when they are staged", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    const payload = payloadOf(1, 100);
    journal.append(1, [entry(1, payload)]);
    payload.fill(0);
    await journal.flush();
    const again = await openSmall(restarted(disk));
    const location = again.groups.get(1)?.entries[0]?.location;
    expect(location && (await again.journal.readPayload(location))).toEqual(payloadOf(1, 100));
  });

  test("spreads a flush over frames and files in order, a payload larger than a frame included", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk, { filesMax: 32 });
    const log = [
      ...entries(1, 30, 2000),
      entry(31, journal.payloadBytesMax),
      entry(32, 20_000),
      ...entries(33, 60, 3000),
    ];
    journal.append(1, log);
    await journal.flush();
    expect(await disk.list(directory)).toHaveLength(5);
    const again = await openSmall(restarted(disk));
    const found = again.groups.get(1)?.entries ?? [];
    expect(found.map(({ index }) => index)).toEqual(log.map(({ index }) => index));
    for (const [at, { location }] of found.entries()) {
      expect(Buffer.compare(await again.journal.readPayload(location), log[at]?.payload ?? Buffer.of())).toBe(
        0,
      );
    }
  });

  test("replaces entries from an index that comes again, also in a later file", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 10, 100, 1));
    await journal.flush();
    for (let i = 0; i < 20; i++) {
      journal.append(2, [entry(i + 1, 8000)]);
      await journal.flush();
    }
    journal.append(1, entries(4, 6, 100, 2));
    await journal.flush();
    const { groups } = await openSmall(restarted(disk));
    expect(groups.get(1)?.entries.map(({ index, term }) => `${index}/${term}`)).toEqual([
      "1/1",
      "2/1",
      "3/1",
      "4/2",
      "5/2",
      "6/2",
    ]);
  });

  test("drops entries up to the floor, all of them when the floor is of another history", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    for (const group of [1, 2, 3]) journal.append(group, entries(1, 10));
    journal.advanceFloor(1, { index: 4, term: 1 });
    journal.advanceFloor(2, { index: 4, term: 9 });
    journal.advanceFloor(3, { index: 40, term: 9 });
    journal.append(3, [entry(41, 10, 9)]);
    await journal.flush();
    const { groups } = await openSmall(restarted(disk));
    const indexes = (group: number) => groups.get(group)?.entries.map(({ index }) => index);
    expect(indexes(1)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(indexes(2)).toEqual([]);
    expect(indexes(3)).toEqual([41]);
  });

  test("forgets a group, which may then begin anew", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 5));
    journal.setHardState(1, { term: 5, votedFor: 1 });
    journal.append(2, entries(1, 5));
    journal.forget(1);
    journal.forget(2);
    journal.append(2, entries(1, 2));
    await journal.flush();
    const { groups } = await openSmall(restarted(disk));
    expect(groups.has(1)).toBe(false);
    expect(groups.get(2)?.entries.map(({ index }) => index)).toEqual([1, 2]);
  });

  test("refuses a hole in a group's log before it is on disk", async () => {
    const { journal } = await openSmall(new FaultyFileSystem());
    journal.append(1, entries(1, 2));
    expect(() => journal.append(1, [entry(4)])).toThrow();
    expect(() => journal.append(1, [entry(3), entry(5)])).toThrow();
    expect(() => journal.append(2, [entry(2)])).toThrow();
    journal.advanceFloor(2, { index: 7, term: 1 });
    journal.append(2, [entry(8)]);
  });
});

describe("a journal's files", () => {
  /** Fills files with group 1's entries and moves its floor up behind. */
  async function turnOver(disk: FaultyFileSystem, flushes: number) {
    const opened = await openSmall(disk);
    const { journal } = opened;
    journal.setHardState(5, { term: 8, votedFor: 3 });
    for (let index = 1; index <= flushes; index++) {
      journal.append(1, [entry(index, 8000)]);
      journal.advanceFloor(1, { index: index - 1, term: 1 });
      await journal.flush();
    }
    return journal;
  }

  test("are recycled, and stale frames in them are never read", async () => {
    const disk = new FaultyFileSystem();
    const journal = await turnOver(disk, 100);
    expect((await disk.list(directory)).length).toBeLessThanOrEqual(4);
    expect(journal.usedBytes).toBeLessThanOrEqual(3 * 65_536);
    expect(await indexesAfterRestart(disk)).toEqual([100]);
  });

  test("carry terms and votes on when the file that held them is gone", async () => {
    const disk = new FaultyFileSystem();
    await turnOver(disk, 100);
    const { groups } = await openSmall(restarted(disk));
    expect(groups.get(5)?.hardState).toEqual({ term: 8, votedFor: 3 });
  });

  test("stay as long as any group needs an entry of them, and that group is named", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk, { filesMax: 4 });
    journal.append(7, [entry(1)]);
    let index = 0;
    while (!journal.isUnderPressure) {
      journal.append(1, [entry(++index, 8000)]);
      journal.advanceFloor(1, { index, term: 1 });
      await journal.flush();
    }
    expect(journal.oldestGroups()).toEqual([7]);
    journal.advanceFloor(7, { index: 1, term: 1 });
    await journal.flush();
    await settled();
    expect(journal.isUnderPressure).toBe(false);
    expect(journal.oldestGroups()).toEqual([]);
  });

  test("come free when their entries were replaced or their group forgotten", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk, { filesMax: 4 });
    journal.append(7, entries(1, 5));
    journal.append(8, entries(1, 5));
    let index = 0;
    while (!journal.isUnderPressure) {
      journal.append(1, [entry(++index, 8000)]);
      journal.advanceFloor(1, { index, term: 1 });
      await journal.flush();
    }
    expect(journal.oldestGroups()).toEqual([7, 8]);
    journal.append(7, entries(1, 1, 100, 2));
    journal.forget(8);
    await journal.flush();
    await settled();
    expect(journal.isUnderPressure).toBe(false);
  });

  test("refuse data when all are in use, and keep taking votes and floors", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk, { filesMax: 4 });
    let index = 0;
    await expect(async () => {
      for (;;) {
        journal.append(1, [entry(++index, 8000)]);
        await journal.flush();
      }
    }).rejects.toMatchObject({ code: "full" });
    expect(journal.isUnderPressure).toBe(true);
    for (let term = 1; term <= 5; term++) {
      journal.setHardState(1, { term, votedFor: 1 });
      await journal.flush();
    }
    journal.advanceFloor(1, { index: index - 1, term: 1 });
    await journal.flush();
    await settled();
    journal.append(1, [entry(index, 8000)]);
    await journal.flush();
    expect(await indexesAfterRestart(disk)).toEqual([index]);
  });

  test("are changed to a new size when it is configured", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 3));
    await journal.flush();
    await settled();
    const larger = restarted(disk);
    const second = await openSmall(larger, { fileBytes: 262_144 });
    second.journal.append(1, [entry(4, 100_000)]);
    second.journal.append(1, entries(5, 6));
    await second.journal.flush();
    await second.journal.close();
    expect(await indexesAfterRestart(larger)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("that a crash left unfinished are removed", async () => {
    const disk = new FaultyFileSystem();
    await disk.makeDirectory(directory);
    await disk.open(`${journalPath(directory, 1)}.tmp`, "create");
    await disk.syncDirectory(directory);
    const { journal } = await openSmall(restarted(disk));
    journal.append(1, entries(1, 1));
    await journal.flush();
    await journal.close();
  });
});

describe("a journal on a full disk", () => {
  test("cannot begin without room for one file", async () => {
    const disk = new FaultyFileSystem({ capacityBytes: 40_000 });
    await expect(openSmall(disk)).rejects.toMatchObject({ code: "full" });
    expect(await disk.list(directory)).toEqual([]);
  });

  test("is under pressure, refuses data, takes votes, and recovers when there is space", async () => {
    const disk = new FaultyFileSystem({ capacityBytes: 300_000 });
    const { journal } = await openSmall(disk);
    const hog = await disk.open("/data/hog", "create");
    await settled();
    await hog.write(0, testArena.allocate(160_000).fill(1));
    let index = 0;
    await expect(async () => {
      for (;;) {
        journal.append(1, [entry(++index, 3000)]);
        await journal.flush();
      }
    }).rejects.toMatchObject({ code: "full" });
    expect(journal.isUnderPressure).toBe(true);
    journal.setHardState(1, { term: 9, votedFor: 2 });
    await journal.flush();

    await disk.remove("/data/hog");
    await journal.relieve();
    expect(journal.isUnderPressure).toBe(false);
    journal.append(1, [entry(index, 3000)]);
    await journal.flush();
    const { groups } = await openSmall(restarted(disk));
    expect(groups.get(1)?.hardState.term).toBe(9);
    expect(groups.get(1)?.entries).toHaveLength(index);
  });
});

describe("a full journal", () => {
  /** Appends one entry after the other, each durable before the next; answers how many were taken. */
  async function fill(
    journal: Journal,
    from: number,
    content: Pick<JournalEntry, "kind" | "payload">,
  ): Promise<number> {
    for (let index = from; ; index++) {
      try {
        journal.append(1, [{ ...entry(index, content.payload), kind: content.kind }]);
      } catch (error) {
        expect(error).toMatchObject({ code: "full" });
        return index - from;
      }
      await journal.flush();
    }
  }

  test("takes small commands that may make room, and no data however small", async () => {
    const { journal } = await openSmall(new FaultyFileSystem(), { filesMax: 4 });
    let next = 1 + (await fill(journal, 1, { kind: "data", payload: payloadOf(1, 8000) }));
    next += await fill(journal, next, { kind: "data", payload: payloadOf(1, 1) });
    const tooLarge = { ...entry(next, 4097), kind: "command" } as const;
    expect(() => journal.append(1, [tooLarge])).toThrow(/full/);
    expect(() => journal.append(1, [{ ...entry(next, 10), kind: "command" }, entry(next + 1, 1)])).toThrow(
      /full/,
    );
    const taken = await fill(journal, next, { kind: "command", payload: payloadOf(2, 16) });
    expect(taken).toBeGreaterThan(0);
    await journal.close();
  });

  test("keeps room for votes and floors when small commands have had theirs", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk, { filesMax: 4 });
    let next = 1 + (await fill(journal, 1, { kind: "data", payload: payloadOf(1, 8000) }));
    next += await fill(journal, next, { kind: "command", payload: payloadOf(2, 16) });
    for (let term = 2; term <= 4; term++) {
      journal.setHardState(1, { term, votedFor: 1 });
      await journal.flush();
    }
    journal.advanceFloor(1, { index: next - 1, term: 1 });
    await journal.flush();
    await settled();
    journal.append(1, [entry(next, 8000)]);
    await journal.flush();
    expect(await indexesAfterRestart(disk)).toEqual([next]);
    await journal.close();
  });
});

describe("a damaged journal", () => {
  /** Three flushed frames of group 1, and where the payloads lie. */
  async function threeFrames() {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    for (const index of [1, 2, 3]) {
      journal.append(1, [entry(index, 6000)]);
      await journal.flush();
    }
    await journal.close();
    const opened = await openSmall(disk);
    const found = opened.groups.get(1)?.entries.map(({ location }) => location) ?? [];
    await opened.journal.close();
    return { disk, path: journalPath(directory, 1), positions: found.map(({ position }) => position) };
  }

  test("loses a broken last frame, and says where it was cut", async () => {
    const { disk, path, positions } = await threeFrames();
    disk.rot(path, positions[2] ?? 0, 1);
    const { groups, report, journal } = await openSmall(disk);
    expect(groups.get(1)?.entries.map(({ index }) => index)).toEqual([1, 2]);
    expect(report.tornTail?.path).toBe(path);
    expect(report.tornTail?.position).toBeLessThanOrEqual(positions[2] ?? 0);
    journal.append(1, [entry(3, 50)]);
    await journal.flush();
    expect(await indexesAfterRestart(disk)).toEqual([1, 2, 3]);
  });

  test.each([
    { what: "a payload", at: 0 },
    { what: "a header", at: -44 },
    { what: "a frame's length", at: -44 - 8 },
  ])("is refused when $what in the middle is broken", async ({ at }) => {
    const { disk, path, positions } = await threeFrames();
    disk.rot(path, (positions[1] ?? 0) + at, 0x40);
    const error = await openSmall(disk).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(JournalCorruptError);
    expect(error).toMatchObject({ path, position: 3 * 4096 });
  });

  test("is read on behind the damage when that is accepted, and the loss is told", async () => {
    const { disk, path, positions } = await threeFrames();
    disk.rot(path, positions[1] ?? 0, 1);
    const { groups, report, journal } = await openSmall(disk, { acceptCorruption: true });
    expect(groups.get(1)?.entries.map(({ index }) => index)).toEqual([1]);
    expect(report.lost).toEqual([{ path, position: 3 * 4096, frameCount: 1 }]);
    expect(report.gaps).toEqual([{ group: 1, index: 2, droppedCount: 1 }]);
    journal.append(1, [entry(2, 50)]);
    await journal.flush();
    await journal.close();
    const again = await openSmall(disk, { acceptCorruption: true });
    expect(again.groups.get(1)?.entries.map(({ index }) => index)).toEqual([1, 2]);
  });

  test("is refused when its first frame is broken or a file in the middle is missing", async () => {
    const { disk, path } = await threeFrames();
    disk.rot(path, 5, 1);
    await expect(openSmall(disk)).rejects.toBeInstanceOf(JournalCorruptError);

    const other = new FaultyFileSystem();
    const { journal } = await openSmall(other);
    journal.append(1, entries(1, 60, 3000));
    await journal.flush();
    await journal.close();
    await other.remove(journalPath(directory, 2));
    await expect(openSmall(other)).rejects.toBeInstanceOf(JournalCorruptError);
  });

  test("is refused when entries are missing above the floor", async () => {
    const disk = new FaultyFileSystem();
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 60, 3000));
    await journal.flush();
    await journal.close();
    await disk.remove(journalPath(directory, 1));
    await expect(openSmall(disk)).rejects.toThrow("entry 1 of group 1 is missing");
  });

  test("is not mended by a payload that looks like a frame", async () => {
    const { disk, path, positions } = await threeFrames();
    // The forger knows everything but the journal's id.
    const forged = testArena.allocate(2 * 4096).fill(0);
    const view = new DataView(forged.buffer, forged.byteOffset, forged.byteLength);
    const header = { journalId: 12_345, fileSequence: 1, frameSequence: 9, isState: false };
    sealFrame(forged, view, {
      header: { ...header, bodyBytes: 0, recordCount: 0 },
      bodyChecksum: 0,
      checksum: (bytes, seed) => crc32c(bytes, seed),
    });
    const file = await disk.open(path, "existing");
    await file.write(8 * 4096, forged);
    disk.rot(path, positions[2] ?? 0, 1);
    const { groups } = await openSmall(disk);
    expect(groups.get(1)?.entries).toHaveLength(2);
  });

  test("shows a payload that changed since the start", async () => {
    const { disk, path } = await threeFrames();
    const { journal, groups } = await openSmall(disk);
    const location = groups.get(1)?.entries[1]?.location;
    disk.rot(path, (location?.position ?? 0) + 5000, 1);
    const reading = location && journal.readPayload(location);
    await expect(reading).rejects.toMatchObject({ code: "io" });
    await expect(
      journal.readPayload({ fileSequence: 77, position: 0, sizeBytes: 1, checksum: 0 }),
    ).rejects.toMatchObject({ code: "missing" });
  });

  test("says so when a frame is of an unknown version", async () => {
    const { disk, path } = await threeFrames();
    const file = await disk.open(path, "existing");
    const block = testArena.allocate(4096);
    await file.read(0, block);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    view.setUint16(8, 2, true);
    const body = block.subarray(44, 44 + view.getUint32(36, true));
    view.setUint32(0, crc32c(block.subarray(4, 44), crc32c(body)), true);
    await file.write(0, block);
    await expect(openSmall(disk)).rejects.toThrow("version 2");
  });
});

describe("a journal whose disk fails", () => {
  test("is poisoned by a failed flush: every later call throws that error", async () => {
    let isFailing = false;
    const disk = new FaultyFileSystem({
      failChange: ({ kind }) => (isFailing && kind === "write" ? "io" : undefined),
    });
    const { journal } = await openSmall(disk);
    journal.append(1, entries(1, 1));
    await journal.flush();
    await settled();
    isFailing = true;
    journal.append(1, entries(2, 2, 6000));
    await expect(journal.flush()).rejects.toMatchObject({ code: "io" });
    isFailing = false;
    await expect(journal.flush()).rejects.toMatchObject({ code: "io" });
    expect(() => journal.append(1, entries(3, 3))).toThrow("injected");
    expect(() => journal.setHardState(1, { term: 1, votedFor: 1 })).toThrow("injected");
    await journal.close();
    expect(await indexesAfterRestart(disk)).toEqual([1]);
  });

  test("is poisoned when the directory's state is unknown", async () => {
    const disk = new FaultyFileSystem({
      failChange: ({ kind }) => (kind === "rename" ? "io" : undefined),
    });
    await expect(openSmall(disk)).rejects.toMatchObject({ code: "io" });
  });

  test("gives its memory back when it is closed", async () => {
    const arena = new BufferArena({ bytesMax: 64 * 1024 * 1024 });
    const { journal } = await openSmall(new FaultyFileSystem(), { arena });
    journal.append(1, entries(1, 60, 3000));
    await journal.flush();
    journal.append(1, entries(61, 90, 3000));
    await journal.close();
    expect(arena.usedBytes).toBe(0);
    await expect(journal.flush()).rejects.toThrow("closed");
  });
});

/** Lets background work on the memory disk, which needs microtasks only, come to its end. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
