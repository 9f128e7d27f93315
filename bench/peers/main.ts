/*
 * Millrace beside Apache Kafka: one after the other on this machine, with the same generator.
 *
 *   npm run bench:peers                                        all scenarios, 5 rounds: well over an hour
 *   npm run bench:peers -- --scenarios produce-1,steady-1 --repetitions 3
 *   npm run bench:peers -- --nodes 3                           three nodes of each, three replicas
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kafkaPeer } from "./kafka-peer.ts";
import { millracePeer } from "./millrace-peer.ts";
import type { Peer, PeerName } from "./peer.ts";
import { type PeerRuns, table } from "./report.ts";
import { type PeerRun, runPeer } from "./run-peer.ts";
import { loadRuns, saveRuns } from "./saved-runs.ts";
import { clusterScenarios, type Scenario, scenarios } from "./scenarios.ts";

const root = join(import.meta.dirname, "..", "..");
const docsPath = join(root, "docs", "benchmarks.md");
const tableStart = "<!-- table: written by npm run bench:peers -- --write -->";
const clusterTableStart = "<!-- table: written by npm run bench:peers -- --nodes 3 --write -->";
const tableEnd = "<!-- end of table -->";

const usage = `bench:peers [options]
  --nodes N           1 or 3: a single broker, or a cluster with three replicas; 1 unless told
  --scenarios A,B     ${scenarios.map(({ name }) => name).join(", ")};
                      with three nodes ${clusterScenarios.map(({ name }) => name).join(", ")}; all unless told
  --peers A,B         kafka, kafka-fsync, millrace; all unless told
  --repetitions N     rounds, each of which runs every broker once; 5 unless told, 0 to show the results only
  --seconds N         measured seconds of each timed scenario; 8 unless told
  --directory PATH    where data lies while it runs; .cache/bench-peers unless told
  --node-argument ARG further argument for Millrace's Node, such as --cpu-prof; may be repeated
  --results FILE      adds the runs to those in the file, and shows the table of all
  --write             puts the table into docs/benchmarks.md
`;

interface Plan {
  readonly nodes: number;
  readonly peers: readonly Peer[];
  readonly scenarios: readonly Scenario[];
  readonly repetitions: number;
  readonly seconds: number | undefined;
  readonly directory: string;
  readonly resultsPath: string | undefined;
  readonly mustWrite: boolean;
}

await main();

async function main(): Promise<void> {
  let plan: Plan;
  try {
    plan = readPlan();
  } catch (error) {
    process.stderr.write(
      `bench:peers: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`,
    );
    process.exitCode = 2;
    return;
  }
  const { resultsPath } = plan;
  const runs = resultsPath === undefined ? new Map<PeerName, PeerRun[]>() : await loadRuns(resultsPath);
  await mkdir(plan.directory, { recursive: true });
  for (let round = 1; round <= plan.repetitions; round++) {
    for (const peer of plan.peers) {
      tell(`round ${round} of ${plan.repetitions}`);
      const directory = join(plan.directory, `${peer.name}-${process.pid}-${round}`);
      const run = await runPeer(peer, { ...plan, replicas: plan.nodes, directory, tell });
      runs.set(peer.name, [...(runs.get(peer.name) ?? []), run]);
      if (resultsPath !== undefined) await saveRuns(resultsPath, runs);
    }
  }
  const text = `${describeRun(plan, runs)}\n\n${table(runs satisfies PeerRuns, plan)}`;
  process.stdout.write(`\n${text}\n`);
  if (plan.mustWrite) await writeTable(plan.nodes > 1 ? clusterTableStart : tableStart, text);
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "1" },
      scenarios: { type: "string" },
      peers: { type: "string", default: "kafka,kafka-fsync,millrace" },
      repetitions: { type: "string", default: "5" },
      seconds: { type: "string" },
      results: { type: "string" },
      directory: { type: "string", default: join(root, ".cache", "bench-peers") },
      "node-argument": { type: "string", multiple: true, default: [] },
      write: { type: "boolean", default: false },
    },
  });
  const nodes = positive(values.nodes);
  if (nodes !== 1 && nodes !== 3) throw new Error(`there are no scenarios for ${nodes} nodes`);
  const known: readonly Peer[] = [
    kafkaPeer("kafka", nodes),
    kafkaPeer("kafka-fsync", nodes),
    millracePeer(values["node-argument"], nodes),
  ];
  const all = nodes > 1 ? clusterScenarios : scenarios;
  const peers = pick(known, values.peers).filter(({ name, missing }) => {
    if (missing !== undefined) tell(`${name} is skipped: ${missing}`);
    return missing === undefined;
  });
  return {
    nodes,
    peers,
    scenarios: values.scenarios === undefined ? all : pick(all, values.scenarios),
    repetitions: values.repetitions === "0" ? 0 : positive(values.repetitions),
    seconds: values.seconds === undefined ? undefined : positive(values.seconds),
    directory: values.directory,
    resultsPath: values.results,
    mustWrite: values.write,
  };
}

function pick<T extends { readonly name: string }>(all: readonly T[], names: string): T[] {
  return names.split(",").map((name) => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`unknown "${name}"; there are ${all.map((one) => one.name).join(", ")}`);
    return found;
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`"${text}" is no positive whole number`);
  return value;
}

function describeRun({ nodes, resultsPath }: Plan, runs: PeerRuns): string {
  const names = [...runs.keys()].join(", ");
  const repetitions = Math.min(...Array.from(runs.values(), (each) => each.length));
  const day = new Date().toISOString().slice(0, 10);
  const order = resultsPath === undefined ? "in turn" : "in stretches of their own";
  const several = nodes > 1 ? ` ${nodes} nodes of each with ${nodes} replicas,` : "";
  return `${day}: medians of ${repetitions}, ${names} ${order},${several} ${cpus().length} cores, client on the same machine.`;
}

async function writeTable(start: string, text: string): Promise<void> {
  const page = await readFile(docsPath, "utf8");
  const [before, rest = ""] = page.split(start);
  const after = rest.slice(rest.indexOf(tableEnd) + tableEnd.length);
  await writeFile(docsPath, `${before}${start}\n\n${text}\n\n${tableEnd}${after}`);
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
