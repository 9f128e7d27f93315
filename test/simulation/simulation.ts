import { compress, decompress } from "#protocol/compression/compression.ts";
import { finalReaderName } from "./clients/final-reader.ts";
import type { Mark } from "./cluster/marks.ts";
import type { Violation } from "./cluster/violation.ts";
import { checkHistory } from "./history/checker.ts";
import type { Operation } from "./history/operation.ts";
import { beLive } from "./phases/be-live.ts";
import { beSafe } from "./phases/be-safe.ts";
import { compareAll } from "./phases/compare-all.ts";
import { goOnWithMajority } from "./phases/go-on-with-majority.ts";
import { readAll } from "./phases/read-all.ts";
import { setUp } from "./phases/set-up.ts";
import type { Plan } from "./plan/plan.ts";
import { Run, type RunOptions } from "./run.ts";

/** What one run has shown. */
export interface Report {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly marks: ReadonlySet<Mark>;
  readonly events: number;
  readonly virtualMs: number;
  readonly operations: number;
  /** Equal for equal runs. */
  readonly traceHash: string;
  readonly history: readonly Operation[];
}

/** Each tells whether it makes sense to go on. */
const phases: readonly ((run: Run) => Promise<boolean>)[] = [
  setUp,
  beSafe,
  goOnWithMajority,
  beLive,
  readAll,
  compareAll,
];

const codecs = ["gzip", "snappy", "lz4", "zstd"] as const;

/** Runs a plan from its start to the judgement of its history. One run at a time in a process. */
export async function simulate(plan: Plan, options: RunOptions = {}): Promise<Report> {
  loadCodecs();
  using run = new Run(plan, options);
  const isComplete = await goThroughPhases(run);
  const history = run.clients.history();
  judge(run, history, isComplete);
  await shutDown(run);
  return {
    seed: plan.seed,
    violations: run.violations,
    marks: run.marks.reached,
    events: run.world.scheduler.events,
    virtualMs: Math.round(run.world.nowUs / 1_000),
    operations: history.length,
    traceHash: run.world.endTrace(),
    history,
  };
}

/** Codecs read their libraries from the disk with the first batch that needs one, which must not be in a run. */
function loadCodecs(): void {
  const bytes = Buffer.from("loaded");
  for (const codec of codecs) decompress(codec, compress(codec, bytes), bytes.length);
}

async function goThroughPhases(run: Run): Promise<boolean> {
  for (const phase of phases) if (!(await phase(run))) return false;
  return true;
}

function judge(run: Run, history: readonly Operation[], isComplete: boolean): void {
  const { violations } = checkHistory(history, {
    finalReader: isComplete ? finalReaderName : undefined,
    isDense: () => true,
    isReadFresh: run.plan.hosts.length === 1,
  });
  for (const { kind, key, details } of violations) {
    run.violate({ kind, details: key === undefined ? details : `${key}: ${details}` });
  }
}

/** Stops all nodes in order: that, too, must end. */
async function shutDown(run: Run): Promise<void> {
  const nodes = run.cluster.all;
  if (!run.isHopeless) {
    for (const node of nodes) node.stop();
    await run.until("nodes stop", () => nodes.every(({ state }) => state !== "stopping"));
  }
  for (const node of nodes) node.crash("drop", { isPowerLost: true });
}
