import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CampaignResult, runCampaign, runPlan } from "./campaign.ts";
import type { Plan } from "./plan/plan.ts";
import { planOfSeed } from "./plan/plan-of-seed.ts";
import { findPlantedBugs, writeBugTable } from "./planted/bug-table.ts";
import { plantedBugs } from "./planted/planted-bugs.ts";
import { shrink } from "./shrink.ts";
import type { Report } from "./simulation.ts";

const usage = `Runs whole brokers in one thread on a virtual clock, and judges what their clients saw.

  node test/simulation/main.ts [--seeds 100] [--first 1] [--nodes 1]   run that many seeds
  node test/simulation/main.ts --first 7 --seeds 1 --log               one seed, with the brokers' logs
  node test/simulation/main.ts --first 7 --shrink [--out plan.json]    leave out of a seed what it fails without
  node test/simulation/main.ts --plan plan.json [--log]                run a plan from a file
  node test/simulation/main.ts --bug "NAME" …                          with a bug planted
  node test/simulation/main.ts --bugs [--seeds 500] [--write]          find every planted bug; --write: into the docs
`;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    first: { type: "string", default: "1" },
    nodes: { type: "string", default: "1" },
    "repeat-every": { type: "string", default: "20" },
    bug: { type: "string" },
    bugs: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    plan: { type: "string" },
    out: { type: "string" },
    log: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);
const onLogLine = flags.log ? print : undefined;
const bug = bugOf(flags.bug);
const nodeCount = Number(flags.nodes);
const firstSeed = Number(flags.first);
const seedCount = Number(flags.seeds);

if (flags.help) print(usage);
else if (flags.bugs) await tableOfBugs();
else if (flags.plan) await one(JSON.parse(readFileSync(flags.plan, "utf8")) as Plan);
else if (flags.shrink) await shrinkSeed();
else await campaign();

async function campaign(): Promise<void> {
  const startedMs = performance.now();
  const result = await runCampaign({
    firstSeed,
    seedCount,
    nodeCount,
    bug,
    onLogLine,
    repeatEvery: Number(flags["repeat-every"]),
    stopsAtFirst: false,
    onReport: (report) => {
      if (flags.verbose) print(`seed ${report.seed}: ${report.events} events, hash ${report.traceHash}`);
      if (report.violations.length > 0) tellFailure(report);
    },
  });
  tellResult(result, (performance.now() - startedMs) / 1_000);
}

async function one(plan: Plan): Promise<void> {
  const report = await runPlan(plan, { bug, onLogLine });
  print(`${report.events} events in ${report.virtualMs} virtual ms, hash ${report.traceHash}`);
  for (const { kind, details } of report.violations) print(`  ${kind}: ${details}`);
  process.exitCode = report.violations.length > 0 ? 1 : 0;
}

async function shrinkSeed(): Promise<void> {
  const plan = planOfSeed({ seed: firstSeed, nodeCount });
  const [first] = (await runPlan(plan, { bug })).violations;
  if (!first) {
    print(`seed ${firstSeed} shows no violation`);
    return;
  }
  print(`seed ${firstSeed}: ${first.kind}: ${first.details}`);
  const isSame = async (candidate: Plan) =>
    (await runPlan(candidate, { bug })).violations.some(({ kind }) => kind === first.kind);
  const { plan: small, runs } = await shrink(plan, isSame, { runsMax: 400 });
  const tasks = small.clients.reduce((sum, client) => sum + ("tasks" in client ? client.tasks.length : 0), 0);
  print(`after ${runs} runs: ${small.faults.length} faults, ${small.clients.length} clients, ${tasks} tasks`);
  const path = flags.out ?? `.cache/simulation-${firstSeed}.json`;
  writeFileSync(path, JSON.stringify(small, null, 1));
  print(`replay: ${command(`--plan ${path}`)}`);
}

async function tableOfBugs(): Promise<void> {
  const found = await findPlantedBugs({ seedsMax: seedCount, nodeCount, only: bug, onFound: print });
  if (flags.write) writeBugTable(found, seedCount);
  process.exitCode = found.every(({ seed }) => seed !== undefined) ? 0 : 1;
}

function tellFailure({ seed, violations }: Report): void {
  print(
    `seed ${seed}: ${violations.length} violations; replay: ${command(`--first ${seed} --seeds 1 --log`)}`,
  );
  for (const { kind, details } of violations.slice(0, 5)) print(`  ${kind}: ${details}`);
}

function tellResult(result: CampaignResult, seconds: number): void {
  const { runs, events, virtualMs, marks, failed, unequal } = result;
  print(
    `${runs} seeds, ${events} events, ${Math.round(virtualMs / 1_000)} virtual s in ${seconds.toFixed(1)} s`,
  );
  print(`${Math.round(events / seconds)} events/s, first runs only`);
  for (const [mark, count] of marks) print(`  ${String(count).padStart(6)}  ${mark}`);
  print(
    `${failed.length} seeds with violations, ${unequal.length} that a second run did not repeat ${unequal.join(" ")}`,
  );
  process.exitCode = failed.length > 0 || unequal.length > 0 ? 1 : 0;
}

function command(rest: string): string {
  const planted = flags.bug ? ` --bug "${flags.bug}"` : "";
  const nodes = nodeCount === 1 ? "" : ` --nodes ${nodeCount}`;
  return `node test/simulation/main.ts ${rest}${nodes}${planted}`;
}

function bugOf(name: string | undefined) {
  if (name === undefined) return undefined;
  const found = plantedBugs.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`Cannot plant "${name}": there is no such bug`);
  return found;
}
