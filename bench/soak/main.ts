/*
 * A day of a broker in an hour: steady load with retention, rolls, restarts and clients that come and go.
 *
 *   npm run bench:soak                                an hour
 *   npm run bench:soak -- --minutes 3                 a try
 *   npm run bench:soak -- --write                     and puts table and pictures into docs/
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkTable, facts, pictures } from "./report.ts";
import { planSoak } from "./soak-plan.ts";
import { runSoak, type SoakResult } from "./soak-run.ts";
import { type Check, judge } from "./verdict.ts";

const root = join(import.meta.dirname, "..", "..");
const docs = join(root, "docs");
const tableStart = "<!-- table: written by npm run bench:soak -- --write -->";
const tableEnd = "<!-- end of table -->";

const usage = `bench:soak [options]
  --minutes N       60 unless told, at least 2
  --directory PATH  where data, log and samples lie; a new one under .cache/soak unless told, and it stays
  --seed N          of keys and values; 1 unless told
  --write           puts the table into docs/soak.md and the pictures beside it
`;
const minutesMin = 2;

interface Call {
  readonly minutes: number;
  readonly directory: string;
  readonly seed: number;
  readonly mustWrite: boolean;
}

await main();

async function main(): Promise<void> {
  let call: Call;
  try {
    call = readCall();
  } catch (error) {
    process.stderr.write(`bench:soak: ${messageOf(error)}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  try {
    await run(call);
  } catch (error) {
    process.stderr.write(`bench:soak: ${messageOf(error)}\n`);
    // Readers may still wait for a broker that is gone.
    process.exit(1);
  }
}

async function run({ minutes, directory, seed, mustWrite }: Call): Promise<void> {
  await mkdir(directory, { recursive: true });
  tell(`${minutes} minutes in ${directory}, seed ${seed}`);
  const result = await runSoak(planSoak(minutes), { directory, random: seededRandom(seed), tell });
  const checks = judge(result.outcome);
  const text = [describeRun(result, seed), facts(result), checkTable(checks)].join("\n\n");
  process.stdout.write(`\n${text}\n`);
  await writeFile(join(directory, "samples.json"), JSON.stringify(result.outcome.samples));
  await writePictures(directory, result);
  if (mustWrite) {
    await writeTable(text);
    await writePictures(docs, result);
  }
  const isGood = checks.every(({ isMet }) => isMet);
  if (isGood) await rm(join(directory, "data"), { recursive: true, force: true });
  else tellFailure(checks, directory);
  process.exitCode = isGood ? 0 : 1;
}

function readCall(): Call {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "60" },
      directory: { type: "string", default: join(root, ".cache", "soak", String(process.pid)) },
      seed: { type: "string", default: "1" },
      write: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= minutesMin)) throw new Error(`--minutes is at least ${minutesMin}`);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error("--seed is a whole number");
  return { minutes, seed, directory: values.directory, mustWrite: values.write };
}

function describeRun({ plan }: SoakResult, seed: number): string {
  const day = new Date().toISOString().slice(0, 10);
  return `${day}: ${plan.minutes} minutes, seed ${seed}, ${cpus().length} cores, clients on the same machine.`;
}

function tellFailure(checks: readonly Check[], directory: string): void {
  const missed = checks.filter(({ isMet }) => !isMet).map(({ name }) => name);
  process.stderr.write(
    `bench:soak: missed ${missed.join(", ")}; log, data and samples are in ${directory}\n`,
  );
}

async function writePictures(directory: string, result: SoakResult): Promise<void> {
  for (const [name, svg] of pictures(result)) await writeFile(join(directory, name), svg);
}

async function writeTable(text: string): Promise<void> {
  const path = join(docs, "soak.md");
  const page = await readFile(path, "utf8");
  const [before, rest = ""] = page.split(tableStart);
  const after = rest.split(tableEnd)[1] ?? "\n";
  await writeFile(path, `${before}${tableStart}\n\n${text}\n\n${tableEnd}${after}`);
}

/** Mulberry32: the same keys and values for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
