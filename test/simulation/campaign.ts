import { type Mark, markNames } from "./cluster/marks.ts";
import { observeBrokers } from "./cluster/observe.ts";
import { tightenRaft } from "./cluster/tighten-raft.ts";
import { drawPlan, type Program } from "./plan/draw-plan.ts";
import type { Plan } from "./plan/plan.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { together } from "./planted/replace-method.ts";
import type { RunOptions } from "./run.ts";
import { type Report, simulate } from "./simulation.ts";

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly nodeCount: number | "drawn";
  readonly program: Program;
  readonly bug?: PlantedBug | undefined;
  /** Every so many seeds one is run twice, to see whether it does the same; 0 for none. */
  readonly repeatEvery: number;
  /** Ends the campaign at the first seed with a violation. */
  readonly stopsAtFirst: boolean;
  readonly onLogLine?: ((line: string) => void) | undefined;
  readonly onReport?: (report: Report) => void;
}

export interface CampaignResult {
  readonly runs: number;
  readonly events: number;
  readonly virtualMs: number;
  /** Of real time, second runs included. */
  readonly eventsPerSecond: number;
  /** How many seeds have reached each mark. */
  readonly marks: ReadonlyMap<Mark, number>;
  readonly failed: readonly Report[];
  /** Seeds whose second run was another one. */
  readonly unequal: readonly number[];
}

/** Runs a plan, with a bug planted where one is given. */
export async function runPlan(
  plan: Plan,
  { bug, onLogLine }: Pick<CampaignOptions, "bug" | "onLogLine"> = {},
): Promise<Report> {
  const options: RunOptions = {
    ...(onLogLine && { onLogLine }),
    ...(bug?.wrapFiles && { wrapFiles: bug.wrapFiles }),
    observe: (watched) =>
      together(
        observeBrokers(watched),
        ...(plan.tight ? [tightenRaft(plan.tight)] : []),
        ...(bug?.plant ? [bug.plant()] : []),
      ),
  };
  return await simulate(plan, options);
}

/** Runs one seed after the other. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { firstSeed, seedCount, nodeCount, program, repeatEvery, stopsAtFirst, onReport } = options;
  const marks = new Map<Mark, number>(markNames.map((mark) => [mark, 0]));
  const failed: Report[] = [];
  const unequal: number[] = [];
  const sums = { runs: 0, events: 0, virtualMs: 0 };
  const startedMs = performance.now();
  let allEvents = 0;
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const plan = drawPlan({ seed, nodeCount, program });
    const report = await runPlan(plan, options);
    sums.runs += 1;
    sums.events += report.events;
    allEvents += report.events;
    sums.virtualMs += report.virtualMs;
    for (const mark of report.marks) marks.set(mark, (marks.get(mark) ?? 0) + 1);
    if (report.violations.length > 0) failed.push(report);
    onReport?.(report);
    if (repeatEvery > 0 && (seed - firstSeed) % repeatEvery === 0) {
      const again = await runPlan(plan, options);
      allEvents += again.events;
      if (again.traceHash !== report.traceHash) unequal.push(seed);
    }
    if (stopsAtFirst && failed.length > 0) break;
  }
  const eventsPerSecond = (allEvents * 1_000) / (performance.now() - startedMs);
  return { ...sums, eventsPerSecond, marks, failed, unequal };
}
