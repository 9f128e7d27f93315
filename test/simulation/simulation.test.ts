import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCampaign, runPlan } from "./campaign.ts";
import { planOfSeed } from "./plan/plan-of-seed.ts";
import { findSourceBug } from "./planted/bug-table.ts";
import { classBugs, sourceBugs } from "./planted/planted-bugs.ts";
import { edited } from "./planted/source-bug.ts";
import { shrink } from "./shrink.ts";

/** Seeds in the normal run, for one node and for several; more, or others, by environment. */
const seedCount = Number(process.env.MILLRACE_SIMULATION_SEEDS ?? 20);
const clusterSeedCount = Number(process.env.MILLRACE_SIMULATION_SEEDS ?? 12);
const firstSeed = Number(process.env.MILLRACE_SIMULATION_FIRST_SEED ?? 1);

/** Bugs that the normal run plants to see that it would find them; all of them by `main.ts --bugs`. */
const sampleBugs = ["counts before the flush", "forgets producers when it starts", "never syncs directories"];
const sampleSourceBugs = ["loses the dedupe window on a failover", "sends its vote before it is durable"];
const sampleSeedsMax = 60;

test.each([
  { of: "one node", nodeCount: 1, program: "wide", seedCount },
  { of: "three to five", nodeCount: "drawn", program: "wide", seedCount: clusterSeedCount },
  {
    of: "three to five whose leaders are hunted",
    nodeCount: "drawn",
    program: "contended",
    seedCount: clusterSeedCount,
  },
] as const)(
  "no seed of $of shows a violation, and a seed run twice does the same",
  async (runs) => {
    const result = await runCampaign({
      ...runs,
      firstSeed,
      repeatEvery: 20,
      stopsAtFirst: false,
    });
    const found = result.failed.map(({ seed, violations }) => ({ seed, violations: violations.slice(0, 3) }));
    expect(found).toEqual([]);
    expect(result.unequal).toEqual([]);
  },
  600_000,
);

test.each(classBugs.filter(({ name }) => sampleBugs.includes(name)))(
  "a broker that $name is found out",
  async (bug) => {
    const { failed } = await runCampaign({
      firstSeed: 1,
      seedCount: sampleSeedsMax,
      nodeCount: 1,
      program: "wide",
      bug,
      repeatEvery: 0,
      stopsAtFirst: true,
    });
    expect(failed).toHaveLength(1);
  },
  600_000,
);

test.each(sourceBugs.filter(({ name }) => sampleSourceBugs.includes(name)))(
  "a cluster whose broker $name is found out",
  async (bug) => {
    expect(await findSourceBug(bug, { firstSeed: 1, seedCount: sampleSeedsMax })).toBeDefined();
  },
  600_000,
);

test.each(sourceBugs)("the sources have a place for the bug: $name", ({ edits }) => {
  const sources = new Map<string, string>();
  for (const edit of edits) {
    const source =
      sources.get(edit.file) ?? readFileSync(new URL(`../../${edit.file}`, import.meta.url), "utf8");
    const next = edited(source, edit);
    expect(next).not.toBe(source);
    sources.set(edit.file, next);
  }
});

test("planting a bug leaves no trace behind", async () => {
  const plan = planOfSeed({ seed: 1, nodeCount: 1 });
  const before = await runPlan(plan);
  for (const bug of classBugs) bug.plant?.()[Symbol.dispose]();
  expect((await runPlan(plan)).traceHash).toBe(before.traceHash);
}, 120_000);

test("a failing plan shrinks to what it fails by", async () => {
  const plan = planOfSeed({ seed: 3, nodeCount: 1 });
  const [needed] = plan.clients;
  // Stands for a run: what is needed is one client with at least two of its tasks, and no fault at all.
  const fails = async ({ clients }: typeof plan) => {
    const kept = clients.find(({ name }) => name === needed?.name);
    return kept !== undefined && "tasks" in kept && kept.tasks.length >= 2;
  };
  const { plan: small, runs } = await shrink(plan, fails, { runsMax: 1_000 });
  expect(small.faults).toEqual([]);
  expect(small.clients.map((client) => [client.name, "tasks" in client && client.tasks.length])).toEqual([
    [needed?.name, 2],
  ]);
  expect(runs).toBeLessThan(200);
});
