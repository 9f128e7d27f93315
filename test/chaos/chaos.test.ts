import { join } from "node:path";
import { expect, test } from "vitest";
import { whyNoSmallDisk } from "../integration/durability/small-disk.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";
import { runRound } from "./round.ts";

/*
 * A bounded share of what `npm run chaos` does: MILLRACE_CHAOS_SEEDS rounds from MILLRACE_CHAOS_FIRST_SEED on, each
 * with so many seconds of strikes; or as many as begin within MILLRACE_CHAOS_MINUTES.
 */
const minutes = Number(process.env.MILLRACE_CHAOS_MINUTES ?? 0);
const seeds = Number(process.env.MILLRACE_CHAOS_SEEDS ?? (minutes > 0 ? Number.POSITIVE_INFINITY : 1));
const firstSeed = Number(process.env.MILLRACE_CHAOS_FIRST_SEED ?? 1);
const strikesMs = Number(process.env.MILLRACE_CHAOS_SECONDS ?? 25) * 1_000;

const noDisk = await whyNoSmallDisk("ext4");
const title = "struck processes lose nothing that was acknowledged, and double nothing";

test(`${title}${noDisk ? `; without broken disks: ${noDisk}` : ""}`, async () => {
  const deadlineMs = minutes > 0 ? performance.now() + minutes * 60_000 : Number.POSITIVE_INFINITY;
  for (let seed = firstSeed; seed < firstSeed + seeds && performance.now() < deadlineMs; seed++) {
    await using directory = await temporaryDirectory();
    const lines: string[] = [];
    const { summary, violations } = await runRound({
      ...{ seed, durationMs: strikesMs, directory: join(directory.path, "round") },
      hasDisk: noDisk === undefined,
      tell: (line) => lines.push(line),
    });
    console.log(summary);
    expect(violations, `npm run chaos -- --seed ${seed}\n${lines.join("\n")}`).toEqual([]);
  }
});
