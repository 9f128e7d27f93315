import { planOfSeed } from "./plan/plan-of-seed.ts";
import { simulate } from "./simulation.ts";

const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
for (let s = seed; s < seed + count; s++) {
  const t = performance.now();
  const plan = planOfSeed({ seed: s, nodeCount: 1 });
  const r = await simulate(plan, process.env.LOG ? { onLogLine: (l) => console.log(l) } : {});
  const ms = performance.now() - t;
  console.log(
    s,
    r.events,
    r.virtualMs,
    r.operations,
    r.traceHash,
    Math.round(ms),
    "ms",
    Math.round((r.events / ms) * 1000),
    "ev/s",
    [...r.marks].join("|"),
  );
  for (const v of r.violations.slice(0, 5)) console.log("  ", v.kind, v.details);
}
