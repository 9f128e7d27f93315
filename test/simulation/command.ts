import { readFileSync, writeFileSync } from "node:fs";
import { type CampaignResult, runCampaign, runPlan } from "./campaign.ts";
import { drawPlan, type Program } from "./plan/draw-plan.ts";
import type { Plan } from "./plan/plan.ts";
import { findPlantedBugs, huntLine, writeBugTable, writeMarkTable } from "./planted/bug-table.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { classBugs, sourceBugs } from "./planted/planted-bugs.ts";
import { shrink } from "./shrink.ts";
import type { Report } from "./simulation.ts";

/** What the command line asks for. */
export interface SimulationCommand {
  readonly mode: "campaign" | "plan" | "shrink" | "bugs" | "hunt";
  readonly firstSeed: number;
  readonly seedCount: number;
  /** "3", or "3..5" to draw it by seed. */
  readonly nodes: string;
  readonly program: Program;
  readonly repeatEvery: number;
  /** By name; one in the sources themselves was loaded with them. */
  readonly bug: string | undefined;
  readonly plan: string | undefined;
  readonly out: string | undefined;
  readonly writes: boolean;
  readonly logs: boolean;
  readonly isVerbose: boolean;
}

const shrinkRunsMax = 400;

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Does what the command line asks for; the exit code says whether all was well. */
export async function runCommand(command: SimulationCommand): Promise<void> {
  const isKnown = [...classBugs, ...sourceBugs].some(({ name }) => name === command.bug);
  if (command.bug !== undefined && !isKnown) {
    throw new Error(`Cannot plant "${command.bug}": there is no such bug`);
  }
  switch (command.mode) {
    case "campaign":
      return await campaign(command);
    case "plan":
      return await one(command);
    case "shrink":
      return await shrinkSeed(command);
    case "bugs":
      return await tableOfBugs(command);
    case "hunt":
      return await hunt(command);
    default:
      command.mode satisfies never;
  }
}

async function campaign(command: SimulationCommand): Promise<void> {
  const startedMs = performance.now();
  const result = await runCampaign({
    ...runsOf(command),
    stopsAtFirst: false,
    onReport: (report) => {
      if (command.isVerbose) print(`seed ${report.seed}: ${report.events} events, hash ${report.traceHash}`);
      if (report.violations.length > 0) tellFailure(report, command);
    },
  });
  tellResult(result, (performance.now() - startedMs) / 1_000);
  if (command.writes) writeMarkTable(result, command.nodes);
}

async function one(command: SimulationCommand): Promise<void> {
  const plan = JSON.parse(readFileSync(command.plan ?? "", "utf8")) as Plan;
  const report = await runPlan(plan, runsOf(command));
  print(`${report.events} events in ${report.virtualMs} virtual ms, hash ${report.traceHash}`);
  for (const { kind, details } of report.violations) print(`  ${kind}: ${details}`);
  process.exitCode = report.violations.length > 0 ? 1 : 0;
}

async function shrinkSeed(command: SimulationCommand): Promise<void> {
  const { firstSeed: seed, nodeCount, program, bug } = runsOf(command);
  const plan = drawPlan({ seed, nodeCount, program });
  const [first] = (await runPlan(plan, { bug })).violations;
  if (!first) {
    print(`seed ${seed} shows no violation`);
    return;
  }
  print(`seed ${seed}: ${first.kind}: ${first.details}`);
  const isSame = async (candidate: Plan) =>
    (await runPlan(candidate, { bug })).violations.some(({ kind }) => kind === first.kind);
  const { plan: small, runs } = await shrink(plan, isSame, { runsMax: shrinkRunsMax });
  const tasks = small.clients.reduce((sum, client) => sum + ("tasks" in client ? client.tasks.length : 0), 0);
  print(`after ${runs} runs: ${small.faults.length} faults, ${small.clients.length} clients, ${tasks} tasks`);
  const path = command.out ?? `.cache/simulation-${seed}.json`;
  writeFileSync(path, JSON.stringify(small, null, 1));
  print(`replay: ${lineOf(command, `--plan ${path}`)}`);
}

async function tableOfBugs({ seedCount, bug, writes }: SimulationCommand): Promise<void> {
  const found = await findPlantedBugs({ seedsMax: seedCount, only: bug, onFound: print });
  if (writes) writeBugTable(found, seedCount);
  process.exitCode = found.every(({ seed }) => seed !== undefined) ? 0 : 1;
}

/** Runs seeds until one shows a violation, for a process that has been told to look for a bug. */
async function hunt(command: SimulationCommand): Promise<void> {
  const { failed } = await runCampaign({ ...runsOf(command), repeatEvery: 0, stopsAtFirst: true });
  print(huntLine(failed[0]));
}

function runsOf({ nodes, bug, logs, ...rest }: SimulationCommand) {
  const planted: PlantedBug | undefined = classBugs.find(({ name }) => name === bug);
  return {
    ...{ firstSeed: rest.firstSeed, seedCount: rest.seedCount, repeatEvery: rest.repeatEvery },
    program: rest.program,
    nodeCount: nodes === "3..5" ? ("drawn" as const) : Number(nodes),
    bug: planted,
    onLogLine: logs ? print : undefined,
  };
}

function tellFailure({ seed, violations }: Report, command: SimulationCommand): void {
  const replay = lineOf(command, `--first ${seed} --seeds 1 --log`);
  print(`seed ${seed}: ${violations.length} violations; replay: ${replay}`);
  for (const { kind, details } of violations.slice(0, 5)) print(`  ${kind}: ${details}`);
}

function tellResult(result: CampaignResult, seconds: number): void {
  const { runs, events, virtualMs, marks, failed, unequal } = result;
  print(
    `${runs} seeds, ${events} events, ${Math.round(virtualMs / 1_000)} virtual s in ${seconds.toFixed(1)} s`,
  );
  print(`${Math.round(result.eventsPerSecond)} events/s`);
  for (const [mark, count] of marks) print(`  ${String(count).padStart(6)}  ${mark}`);
  print(
    `${failed.length} seeds with violations, ${unequal.length} that a second run did not repeat ${unequal.join(" ")}`,
  );
  process.exitCode = failed.length > 0 || unequal.length > 0 ? 1 : 0;
}

/** A command line that does the rest under the same conditions. */
function lineOf({ bug, nodes, program }: SimulationCommand, rest: string): string {
  const cluster = nodes === "1" ? "" : ` --nodes ${nodes}`;
  const drawn = program === "wide" ? "" : ` --program ${program}`;
  const planted = bug === undefined ? "" : ` --bug "${bug}"`;
  return `node test/simulation/main.ts ${rest}${cluster}${drawn}${planted}`;
}
