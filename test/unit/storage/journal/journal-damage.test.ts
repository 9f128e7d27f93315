import { describe, expect, test } from "vitest";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { blockBytes } from "#storage/io/file.ts";
import { JournalCorruptError } from "#storage/journal/replay.ts";
import { seededRandom } from "../seeded-random.ts";
import type { ModelRecord } from "./journal-model.ts";
import { JournalWorkload, openSmall, survivingRecords, testArena } from "./journal-workload.ts";

/** A clean disk after the same life for every call, and what was recorded in it. */
async function livedDisk(seed: number): Promise<{ disk: FaultyFileSystem; workload: JournalWorkload }> {
  const disk = new FaultyFileSystem();
  const { journal } = await openSmall(disk);
  const workload = new JournalWorkload(journal, { random: seededRandom(seed), past: [] });
  await workload.run(15);
  await journal.close();
  return { disk, workload };
}

/** Opens the damaged disk: what it held, or undefined when the journal refused. */
async function outcome(
  disk: FaultyFileSystem,
  workload: JournalWorkload,
  name: string,
): Promise<{ records: ModelRecord[] | undefined; isCut: boolean } | undefined> {
  const opened = await openSmall(disk).catch((error: unknown) => {
    // Nothing but this error may come of damage: no assertion, no memory exhausted, no endless search.
    expect(error, name).toBeInstanceOf(JournalCorruptError);
    return undefined;
  });
  if (!opened) return undefined;
  // Any prefix will do here: a broken last frame cannot be told from a torn write.
  workload.acknowledged = 0;
  const records = await survivingRecords(opened, workload);
  await opened.journal.close();
  return { records, isCut: opened.report.tornTail !== undefined };
}

describe("a journal with damage anywhere", () => {
  test("with one flipped bit holds everything, or is cut at the very end and says so, or refuses", {
    timeout: 60_000,
  }, async () => {
    const outcomes = { whole: 0, cut: 0, refused: 0 };
    for (let seed = 1; seed <= 150; seed++) {
      const random = seededRandom(seed);
      const { disk, workload } = await livedDisk(seed % 5);
      const paths = (await disk.list("/data/journal")).map((name) => `/data/journal/${name}`);
      const path = paths[Math.floor(random() * paths.length)] ?? "";
      // Half of the hits on the start of a block, where headers are.
      const block = Math.floor(random() * 16) * blockBytes;
      const position = block + Math.floor(random() * (random() < 0.5 ? 44 : blockBytes));
      disk.rot(path, position, 1 << Math.floor(random() * 8));
      const name = `seed ${seed}: ${path} at ${position}`;

      const total = workload.acknowledged;
      const found = await outcome(disk, workload, name);
      if (!found) {
        outcomes.refused++;
        continue;
      }
      expect(found.records, name).toBeDefined();
      const isWhole = (found.records?.length ?? 0) >= total;
      if (!isWhole) expect(found.isCut || isHeaderGone(position), name).toBe(true);
      outcomes[isWhole ? "whole" : "cut"]++;
    }
    expect(outcomes.whole).toBeGreaterThan(0);
    expect(outcomes.cut).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
  });

  test("with random blocks overwritten never holds a wrong entry when corruption is accepted", {
    timeout: 60_000,
  }, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const { disk } = await livedDisk(seed % 5);
      for (const name of await disk.list("/data/journal")) {
        const file = await disk.open(`/data/journal/${name}`, "existing");
        const block = testArena.allocate(blockBytes);
        for (let at = 0; at < blockBytes; at++) block[at] = random() * 256;
        if (random() < 0.5) await file.write(Math.floor(random() * 16) * blockBytes, block);
        testArena.release(block);
      }
      const { journal, groups } = await openSmall(disk, { acceptCorruption: true });
      for (const { floor, entries } of groups.values()) {
        for (const [at, { index, location }] of entries.entries()) {
          expect(index).toBe(floor.index + 1 + at);
          await journal.readPayload(location);
        }
      }
      await journal.close();
    }
  });
});

/** A cut whose broken header no longer shows what it was cannot be told from a clean end. */
function isHeaderGone(position: number): boolean {
  return position % blockBytes < 44;
}
