import { contendedPlanOfSeed } from "./contended-plan.ts";
import type { Plan } from "./plan.ts";
import { type PlanOptions, planOfSeed } from "./plan-of-seed.ts";

/**
 * What a seed is drawn for. wide: half a minute of everything · contended: a few seconds in which leaders are hunted ·
 * mixed: either, by seed. One node has no leaders to hunt, and runs the wide one.
 */
export type Program = "wide" | "contended" | "mixed";

/** Draws the run of a seed. */
export function drawPlan({ program, ...options }: PlanOptions & { readonly program: Program }): Plan {
  const isContended = program === "contended" || (program === "mixed" && options.seed % 4 !== 0);
  return isContended && options.nodeCount !== 1 ? contendedPlanOfSeed(options) : planOfSeed(options);
}
