import { describe, expect, test } from "vitest";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { seededRandom } from "../seeded-random.ts";
import { JournalWorkload, openSmall, survivingRecords } from "./journal-workload.ts";

describe("a journal on a disk of a few files", () => {
  test("never fails a flush as long as floors move on under pressure", { timeout: 60_000 }, async () => {
    let refusals = 0;
    for (let seed = 0; seed < 200; seed++) {
      const latency = seededRandom(seed + 1);
      const disk = new FaultyFileSystem({
        capacityBytes: 65_536 * (2 + (seed % 4)) + 10_000,
        settle: async () => {
          for (let turns = Math.floor(latency() * 6); turns > 0; turns--) await Promise.resolve();
        },
      });
      const opened = await openSmall(disk);
      const workload = new JournalWorkload(opened.journal, { random: seededRandom(seed), past: [] });
      await workload.run(60).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause });
      });
      refusals += workload.refusals;
      const survivor = disk.crash({ mode: "drop", random: latency });
      expect(await survivingRecords(await openSmall(survivor), workload), `seed ${seed}`).toBeDefined();
    }
    expect(refusals).toBeGreaterThan(0);
  });
});
