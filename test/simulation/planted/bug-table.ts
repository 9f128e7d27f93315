import { readFileSync, writeFileSync } from "node:fs";
import { runCampaign, runPlan } from "../campaign.ts";
import { planOfSeed } from "../plan/plan-of-seed.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";

/** What it took to find a bug. */
export interface FoundBug {
  readonly bug: PlantedBug;
  /** The first seed that shows it, counted from 1; undefined where none does. */
  readonly seed: number | undefined;
  /** What was seen first. */
  readonly violation: string;
}

const page = new URL("../../../docs/simulation.md", import.meta.url);
const begin = "<!-- generated: node test/simulation/main.ts --bugs --write -->";
const end = "<!-- end of generated -->";

/** Runs seeds with each bug planted until one shows it. */
export async function findPlantedBugs(options: {
  readonly seedsMax: number;
  readonly nodeCount: number;
  readonly only?: PlantedBug | undefined;
  readonly onFound?: (line: string) => void;
}): Promise<FoundBug[]> {
  const { seedsMax, nodeCount, only, onFound } = options;
  const found: FoundBug[] = [];
  for (const bug of only ? [only] : plantedBugs) {
    const { failed } = await runCampaign({
      firstSeed: 1,
      seedCount: seedsMax,
      nodeCount,
      bug,
      repeatEvery: 0,
      stopsAtFirst: true,
    });
    const [first] = failed;
    if (first) await expectWellWithout(first.seed, nodeCount);
    const violation = first?.violations[0]?.kind ?? "";
    found.push({ bug, seed: first?.seed, violation });
    onFound?.(`${bug.name}: ${first ? `seed ${first.seed}, ${violation}` : "not found"}`);
  }
  return found;
}

/** A seed that fails in any case shows nothing about a bug. */
async function expectWellWithout(seed: number, nodeCount: number): Promise<void> {
  const { violations } = await runPlan(planOfSeed({ seed, nodeCount }));
  if (violations.length > 0) throw new Error(`Cannot tell what a bug does: seed ${seed} fails without it`);
}

/** The table as it stands in docs/simulation.md. */
export function bugTable(found: readonly FoundBug[], seedsMax: number): string {
  const rows = found.map(({ bug, seed, violation }) => {
    return `| ${bug.name} | ${bug.trap} | ${seed ?? `none of ${seedsMax}`} | ${violation} |`;
  });
  return ["| planted bug: the broker … | trap | seeds needed | seen as |", "|---|---|---|---|", ...rows].join(
    "\n",
  );
}

/** Puts the table into its place in docs/simulation.md. */
export function writeBugTable(found: readonly FoundBug[], seedsMax: number): void {
  const text = readFileSync(page, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from)
    throw new Error("Cannot write the table: docs/simulation.md has no place for it");
  writeFileSync(
    page,
    `${text.slice(0, from + begin.length)}\n${bugTable(found, seedsMax)}\n${text.slice(to)}`,
  );
}
