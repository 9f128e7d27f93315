import { ExploredGroup, type HostFaults, type RaftFactory } from "./explored-group.ts";
import { type Action, type Plan, planOf } from "./plan.ts";

/** Where a plan broke a promise. */
export interface Finding {
  readonly plan: Plan;
  readonly error: unknown;
}

/** What is explored. */
export interface Exploration {
  readonly factory: RaftFactory;
  readonly firstSeed: number;
  readonly sequenceCount: number;
  readonly actionCount: number;
  /** Every how many sequences the group must recover at the end; 0 for never. */
  readonly settleEvery: number;
  readonly faults?: HostFaults;
}

/** What a clean exploration reached. */
export interface Explored {
  readonly sequences: number;
  readonly actions: number;
  readonly committed: number;
}

/** Runs plans from seeds until one breaks a promise, which is cut down to what it needs. */
export function explore(exploration: Exploration): Finding | Explored {
  const { factory, firstSeed, sequenceCount, actionCount, settleEvery, faults } = exploration;
  let actions = 0;
  let committed = 0;
  for (let i = 0; i < sequenceCount; i++) {
    const plan = planOf(firstSeed + i, actionCount);
    const settles = settleEvery > 0 && i % settleEvery === 0;
    const result = run(plan, factory, { settles, ...(faults && { faults }) });
    if (typeof result !== "number") return shrink(result, factory, { settles, ...(faults && { faults }) });
    actions += plan.actions.length;
    committed += result;
  }
  return { sequences: sequenceCount, actions, committed };
}

interface RunOptions {
  readonly settles: boolean;
  readonly faults?: HostFaults;
}

/** How far the group committed, or what was found. */
export function run(plan: Plan, factory: RaftFactory, { settles, faults }: RunOptions): number | Finding {
  let done = 0;
  try {
    const group = new ExploredGroup(plan, factory, faults);
    for (const action of plan.actions) {
      done += 1;
      group.act(action);
    }
    if (settles) group.settle();
    return group.commitIndex;
  } catch (error) {
    return { plan: { ...plan, actions: plan.actions.slice(0, done) }, error };
  }
}

/** Leaves out what is not needed for a finding: halves first, then ever smaller pieces. */
function shrink(finding: Finding, factory: RaftFactory, options: RunOptions): Finding {
  let best = finding;
  for (let size = Math.ceil(best.plan.actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = best.plan.actions.length - size; start >= 0; start -= size) {
      const actions: Action[] = [...best.plan.actions];
      actions.splice(start, size);
      const result = run({ ...best.plan, actions }, factory, options);
      if (typeof result !== "number") best = result;
    }
  }
  return best;
}

/** The finding in words: seed, what broke, and the actions that it takes. */
export function describeFinding({ plan, error }: Finding): string {
  const { actions, ...rest } = plan;
  const lines = actions.map(({ kind, a, b }) => `  ${kind} ${a} ${b}`);
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`seed ${plan.seed}: ${what}`, JSON.stringify(rest), ...lines].join("\n");
}
