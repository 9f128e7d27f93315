/*
 * How long a cluster of three is without a leader: after kill -9 or SIGSTOP, while one stops in order, and with 1,000 groups.
 *
 *   npm run bench:failover -- --kills 20        adds to what earlier runs have measured
 *   npm run bench:failover -- --write           puts the table of all of it into docs/benchmarks.md
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BenchCluster } from "./bench-cluster.ts";
import { rewriteTable } from "./docs-table.ts";
import { measureKills, measureManyPartitions, measurePauses, measureStops } from "./measures.ts";
import { type FailoverResults, failoverTable, measureNames, noResults } from "./report.ts";

const root = join(import.meta.dirname, "..", "..");
const directory = join(root, ".cache", "bench-cluster");
const resultsPath = join(directory, "results.json");
const manyPartitions = 1_000;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "0" },
    pauses: { type: "string", default: "0" },
    stops: { type: "string", default: "0" },
    many: { type: "string", default: "0" },
    fresh: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

await mkdir(directory, { recursive: true });
if (values.fresh) await rm(resultsPath, { force: true });
const results = await readResults();
await measure("kill", Number(values.kills));
await measure("pause", Number(values.pauses));
await measure("stop", Number(values.stops));
await measure("many", Number(values.many));
const text = `${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores, three nodes and the client on one machine.\n\n${failoverTable(results)}`;
process.stdout.write(`\n${text}\n`);
if (values.write) await rewriteTable("failover", () => text);

async function measure(name: keyof FailoverResults, count: number): Promise<void> {
  if (count === 0) return;
  const data = join(directory, `data-${process.pid}`);
  try {
    await using cluster = await BenchCluster.start(data);
    const onResult = (ms: number): void => {
      results[name].push(ms);
      process.stdout.write(`${measureNames[name]}: ${ms.toFixed(0)} ms\n`);
    };
    const options = { cluster, count, onResult };
    if (name === "kill") await measureKills(options);
    else if (name === "pause") await measurePauses(options);
    else if (name === "stop") await measureStops(options);
    else await measureManyPartitions(options, manyPartitions);
  } finally {
    await rm(data, { recursive: true, force: true });
    await writeFile(resultsPath, JSON.stringify(results));
  }
}

async function readResults(): Promise<FailoverResults> {
  try {
    return { ...noResults(), ...(JSON.parse(await readFile(resultsPath, "utf8")) as FailoverResults) };
  } catch {
    return noResults();
  }
}
