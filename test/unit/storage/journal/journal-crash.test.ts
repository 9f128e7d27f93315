import { describe, expect, test } from "vitest";
import {
  CrashedError,
  type CrashMode,
  crashModes,
  type DiskChange,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import { seededRandom } from "../seeded-random.ts";
import type { ModelRecord } from "./journal-model.ts";
import { JournalWorkload, openSmall, survivingRecords } from "./journal-workload.ts";

const flushes = 20;

interface CrashPoint {
  /** Number of the disk change at which the power goes. */
  change: number;
  phase: "started" | "done";
  mode: CrashMode;
}

interface Life {
  disk: FaultyFileSystem;
  /** Where the next life starts; undefined when the crash point was never reached. */
  survivor: FaultyFileSystem | undefined;
  workload: JournalWorkload | undefined;
}

describe("a journal whose machine crashes", () => {
  test("comes back whole from every disk change of its life, whatever the crash leaves", {
    timeout: 60_000,
  }, async () => {
    const seed = 11;
    const kinds = new Map<DiskChange["kind"], number>();
    const disk = new FaultyFileSystem({
      onChange: ({ kind }, phase) => phase === "done" && kinds.set(kind, (kinds.get(kind) ?? 0) + 1),
    });
    const { journal } = await openSmall(disk);
    await new JournalWorkload(journal, { random: seededRandom(seed), past: [] }).run(flushes);
    await journal.close();
    // The life that is cut short below switches, recycles and removes files.
    expect(kinds.get("write")).toBeGreaterThan(flushes);
    expect(kinds.get("rename")).toBeGreaterThan(3);

    for (let change = 1; change <= disk.changes; change++) {
      for (const mode of crashModes) {
        for (const phase of ["started", "done"] as const) {
          const name = `seed ${seed}, change ${change} ${phase}, ${mode}`;
          const first = await live(new FaultyFileSystem(), seed, [], { change, phase, mode });
          if (!first.survivor) continue;
          const past = await check(first, name);
          if (phase === "done") continue;
          const second = await live(first.survivor, seed + change, past);
          await check({ ...second, survivor: second.disk }, `${name}, second life`);
        }
      }
    }
  });

  test("comes back whole from crash after crash, also during recovery", { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      let past: ModelRecord[] = [];
      let disk = new FaultyFileSystem();
      for (let life = 0; life < 9; life++) {
        const mode = crashModes[Math.floor(random() * crashModes.length)] ?? "drop";
        const phase = random() < 0.7 ? "started" : "done";
        // Every third crash comes within the first changes: those of recovery itself.
        const change = 1 + Math.floor(random() * (life % 3 === 2 ? 4 : 80));
        const lived = await live(disk, seed * 100 + life, past, { change, phase, mode });
        disk = lived.survivor ?? lived.disk;
        past = await check({ ...lived, survivor: disk }, `seed ${seed}, life ${life}`, past);
      }
    }
  });
});

/** Opens, works and closes, or crashes on the way. */
async function live(
  on: FaultyFileSystem,
  seed: number,
  past: readonly ModelRecord[],
  point?: CrashPoint,
): Promise<Life> {
  const life: Life = { disk: on, survivor: undefined, workload: undefined };
  const random = seededRandom(seed);
  const latency = seededRandom(seed + 1);
  let isOver = false;
  const options: FaultyFileSystemOptions = {
    // Changes take differently long, so that flushes and background work overtake each other.
    settle: async () => {
      for (let turns = Math.floor(latency() * 6); turns > 0; turns--) await Promise.resolve();
    },
    onChange: ({ number }, phase) => {
      if (number !== point?.change || phase !== point.phase || isOver) return;
      isOver = true;
      life.survivor = life.disk.crash({ mode: point.mode, random: seededRandom(seed * 7 + number) });
    },
  };
  life.disk = on.crash({ mode: "drop", random }, options);
  try {
    const { journal } = await openSmall(life.disk);
    life.workload = new JournalWorkload(journal, { random, past });
    await life.workload.run(flushes);
    await journal.close();
    isOver = true;
  } catch (error) {
    if (!(error instanceof CrashedError) || !life.survivor) throw error;
  }
  return life;
}

/** Reopens and compares; answers the records that are there. */
async function check(
  { survivor, workload }: Life,
  name: string,
  past: readonly ModelRecord[] = [],
): Promise<ModelRecord[]> {
  if (!survivor) throw new Error(`nothing to check: ${name}`);
  const opened = await openSmall(survivor).catch((error: unknown) => {
    throw new Error(name, { cause: error });
  });
  const held = await survivingRecords(
    opened,
    workload ?? new JournalWorkload(opened.journal, { random: seededRandom(0), past }),
  );
  await opened.journal.close();
  expect(held, name).toBeDefined();
  expect(opened.report.lost, name).toEqual([]);
  return held ?? [];
}
