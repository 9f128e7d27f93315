import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CampaignResult, runCampaign, runPlan } from "../campaign.ts";
import { drawPlan, type Program } from "../plan/draw-plan.ts";
import type { Report } from "../simulation.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { classBugs, sourceBugs } from "./planted-bugs.ts";
import type { SourceBug } from "./source-bug.ts";

/** What showed a bug first. */
interface Sighting {
  /** Counted from 1. */
  readonly seed: number;
  readonly violation: string;
}

/** Seeds to search. */
export interface SeedRange {
  readonly firstSeed: number;
  readonly seedCount: number;
}

type Find = (seeds: SeedRange) => Promise<Sighting | undefined>;

/** What it took to find a bug. */
export interface FoundBug {
  readonly bug: Pick<PlantedBug, "name" | "trap">;
  /** Nodes of the cluster that was searched. */
  readonly nodeCount: number;
  /** The first seed that shows it; undefined where none does. */
  readonly seed: number | undefined;
  /** What was seen first. */
  readonly violation: string;
}

/** Bugs in the sources are looked for in clusters of so many. */
const clusterNodeCount = 3;
const program: Program = "mixed";

const page = new URL("../../../docs/simulation.md", import.meta.url);
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const run = promisify(execFile);

/** Runs seeds with each bug planted until one shows it. */
export async function findPlantedBugs(options: {
  readonly seedsMax: number;
  /** The name of the only one to look for. */
  readonly only: string | undefined;
  readonly onFound?: (line: string) => void;
}): Promise<FoundBug[]> {
  const { seedsMax, only, onFound } = options;
  const found: FoundBug[] = [];
  const isWanted = ({ name }: FoundBug["bug"]) => only === undefined || name === only;
  const lookFor = async (bug: FoundBug["bug"], nodeCount: number, find: Find) => {
    const sighting = await findBeyondOthers(find, { seedsMax, nodeCount });
    found.push({ bug, nodeCount, seed: sighting?.seed, violation: sighting?.violation ?? "" });
    onFound?.(`${bug.name}: ${sighting ? `seed ${sighting.seed}, ${sighting.violation}` : "not found"}`);
  };
  for (const bug of classBugs.filter(isWanted)) {
    await lookFor(bug, 1, (seeds) => findClassBug(bug, seeds));
  }
  for (const bug of sourceBugs.filter(isWanted)) {
    await lookFor(bug, bug.nodeCount ?? clusterNodeCount, (seeds) => findSourceBug(bug, seeds));
  }
  return found;
}

/** A seed that fails in any case shows nothing about a bug: goes on behind it. */
async function findBeyondOthers(
  find: Find,
  { seedsMax, nodeCount }: { readonly seedsMax: number; readonly nodeCount: number },
): Promise<Sighting | undefined> {
  for (let firstSeed = 1; firstSeed <= seedsMax; ) {
    const sighting = await find({ firstSeed, seedCount: seedsMax + 1 - firstSeed });
    if (!sighting) return undefined;
    const { violations } = await runPlan(drawPlan({ seed: sighting.seed, nodeCount, program }));
    if (violations.length === 0) return sighting;
    firstSeed = sighting.seed + 1;
  }
  return undefined;
}

async function findClassBug(bug: PlantedBug, seeds: SeedRange): Promise<Sighting | undefined> {
  const { failed } = await runCampaign({
    ...seeds,
    nodeCount: 1,
    program,
    bug,
    repeatEvery: 0,
    stopsAtFirst: true,
  });
  return sightingOf(failed[0]);
}

/** Looks for a bug in the sources, in a process of its own: this one has them without it. */
export async function findSourceBug(
  { name, nodeCount = clusterNodeCount }: SourceBug,
  { firstSeed, seedCount }: SeedRange,
): Promise<Sighting | undefined> {
  const args = [
    main,
    "--hunt",
    "--bug",
    name,
    "--first",
    String(firstSeed),
    "--seeds",
    String(seedCount),
    "--nodes",
    String(nodeCount),
    "--program",
    program,
  ];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 64 << 20 });
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "null") ?? undefined;
}

/** The last line of a process that has looked for a bug. */
export function huntLine(report: Report | undefined): string {
  return JSON.stringify(sightingOf(report) ?? null);
}

function sightingOf(report: Report | undefined): Sighting | undefined {
  return report && { seed: report.seed, violation: report.violations[0]?.kind ?? "" };
}

/** Puts what was found into the table of docs/simulation.md; rows of bugs that were not looked for stay. */
export function writeBugTable(found: readonly FoundBug[], seedsMax: number): void {
  const rows = found.map(({ bug, nodeCount, seed, violation }) => {
    return `| ${bug.name} | ${bug.trap} | ${nodeCount} | ${seed ?? `none of ${seedsMax}`} | ${violation} |`;
  });
  rewrite("--bugs --write", (lines) => {
    const kept = [...classBugs, ...sourceBugs].flatMap(({ name }) => {
      const isRowOf = (row: string) => row.startsWith(`| ${name} |`);
      return rows.find(isRowOf) ?? lines.find(isRowOf) ?? [];
    });
    return [
      "| planted bug: the broker … | trap | nodes | seeds needed | seen as |",
      "|---|---|---|---|---|",
      ...kept,
    ];
  });
}

/** Puts how many seeds have reached each rare state into docs/simulation.md. */
export function writeMarkTable({ runs, marks }: CampaignResult, nodes: string): void {
  const rows = [...marks].map(([mark, count]) => `| ${mark} | ${count} |`);
  rewrite(`--nodes ${nodes} --write`, () => [`| rare state | of ${runs} seeds |`, "|---|---|", ...rows]);
}

/** Replaces the part of the page that this command generates. */
function rewrite(command: string, next: (lines: readonly string[]) => readonly string[]): void {
  const text = readFileSync(page, "utf8");
  const begin = `<!-- generated: node test/simulation/main.ts ${command} -->\n`;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf("\n<!-- end of generated -->", from);
  if (from < begin.length || to < from) {
    throw new Error(`Cannot write the table: docs/simulation.md has no place for "${command}"`);
  }
  const lines = text.slice(from, to).split("\n");
  writeFileSync(page, `${text.slice(0, from)}${next(lines).join("\n")}${text.slice(to)}`);
}
