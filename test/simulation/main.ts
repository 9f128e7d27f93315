import { parseArgs } from "node:util";
import type { Program } from "./plan/draw-plan.ts";
import { failoverBugs } from "./planted/failover-bugs.ts";
import { raftBugs } from "./planted/raft-bugs.ts";
import { loadWithEdits } from "./planted/source-bug.ts";

const usage = `Runs whole brokers in one thread on a virtual clock, and judges what their clients saw.

  node test/simulation/main.ts [--seeds 100] [--first 1] [--nodes 1]   run that many seeds; --nodes 3..5: drawn by seed
  node test/simulation/main.ts --nodes 3 --program contended …         short runs in which leaders are hunted; or mixed
  node test/simulation/main.ts --first 7 --seeds 1 --log               one seed, with the brokers' logs
  node test/simulation/main.ts --first 7 --shrink [--out plan.json]    leave out of a seed what it fails without
  node test/simulation/main.ts --plan plan.json [--log]                run a plan from a file
  node test/simulation/main.ts --bug "NAME" …                          with a bug planted
  node test/simulation/main.ts --bugs [--seeds 500] [--write]          find every planted bug; --write: into the docs
  node test/simulation/main.ts --bugs --bug "NAME" [--write]           find one, and leave what is known of the others
`;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    first: { type: "string", default: "1" },
    nodes: { type: "string", default: "1" },
    program: { type: "string", default: "wide" },
    "repeat-every": { type: "string", default: "20" },
    bug: { type: "string" },
    bugs: { type: "boolean", default: false },
    hunt: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    plan: { type: "string" },
    out: { type: "string" },
    log: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (flags.help) process.stdout.write(usage);
else await run();

async function run(): Promise<void> {
  const sourceBug = [...raftBugs, ...failoverBugs].find(({ name }) => name === flags.bug);
  // The table has each of these found by a process of its own.
  if (sourceBug && !flags.bugs) loadWithEdits(sourceBug.edits);
  // Not before: all of the broker comes with it.
  const { runCommand } = await import("./command.ts");
  await runCommand({
    mode: modeOf(),
    firstSeed: Number(flags.first),
    seedCount: Number(flags.seeds),
    nodes: flags.nodes,
    program: programOf(),
    repeatEvery: Number(flags["repeat-every"]),
    bug: flags.bug,
    plan: flags.plan,
    out: flags.out,
    writes: flags.write,
    logs: flags.log,
    isVerbose: flags.verbose,
  });
}

function programOf(): Program {
  const program = (["wide", "contended", "mixed"] as const).find((known) => known === flags.program);
  if (!program) throw new Error(`Cannot draw runs of "${flags.program}": there is no such program`);
  return program;
}

function modeOf() {
  if (flags.bugs) return "bugs";
  if (flags.hunt) return "hunt";
  if (flags.plan) return "plan";
  return flags.shrink ? "shrink" : "campaign";
}
