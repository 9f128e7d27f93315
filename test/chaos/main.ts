import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whyNoSmallDisk } from "../integration/durability/small-disk.ts";
import { runRound } from "./round.ts";

/*
 * Rounds of chaos by hand: `npm run chaos -- --minutes 30`, or `--seed 7` for one seed again. What a failed round
 * wrote, logs of the nodes included, is left under .cache/chaos.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    first: { type: "string", default: "1" },
    seconds: { type: "string", default: "60" },
  },
});
const deadlineMs = performance.now() + Number(values.minutes) * 60_000;
const durationMs = Number(values.seconds) * 1_000;
const cache = join(import.meta.dirname, "../../.cache/chaos");
mkdirSync(cache, { recursive: true });
const noDisk = await whyNoSmallDisk("ext4");
if (noDisk) process.stdout.write(`without full and broken disks: ${noDisk}\n`);

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());

const failed: number[] = [];
for (let seed = Number(values.seed ?? values.first); ; seed++) {
  const directory = join(cache, `seed-${seed}`);
  spawnSync("rm", ["-rf", directory]);
  const { summary, violations } = await runRound({
    ...{ seed, durationMs, directory },
    hasDisk: noDisk === undefined,
    signal: stopping.signal,
    tell: (line) => process.stdout.write(`${new Date().toISOString()} seed ${seed}: ${line}\n`),
  });
  if (stopping.signal.aborted) break;
  process.stdout.write(`${summary}\n`);
  for (const violation of violations) process.stdout.write(`  VIOLATION ${violation}\n`);
  if (violations.length > 0) failed.push(seed);
  if (values.seed !== undefined || performance.now() > deadlineMs) break;
}
if (failed.length > 0) process.stdout.write(`failed: ${failed.join(", ")}\n`);
process.exit(failed.length > 0 ? 1 : 0);
