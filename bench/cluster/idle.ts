/*
 * What a cluster of three costs that has many groups and nothing to do: processor time of each node, and elections.
 *
 *   npm run bench:idle -- --seconds 60              1,000 groups of three replicas
 *   npm run bench:idle -- --seconds 60 --busy       the same while every core has a program that never rests
 *   npm run bench:idle -- --seconds 600 --write     and puts the table into docs/benchmarks.md
 */

import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Metadata } from "#protocol/messages/metadata.ts";
import { cpuSeconds, residentBytes } from "../load/broker-process.ts";
import { BenchCluster, type BenchNode } from "./bench-cluster.ts";
import { ClusterClient } from "./cluster-client.ts";
import { rewriteTable } from "./docs-table.ts";

/** One stretch of doing nothing. */
interface IdleRun {
  readonly isBusy: boolean;
  readonly seconds: number;
  /** Of one core, by node. */
  readonly cpuShares: readonly number[];
  readonly residentBytes: readonly number[];
  /** Leader epochs that are others afterwards. */
  readonly elections: number;
}

const root = join(import.meta.dirname, "..", "..");
const directory = join(root, ".cache", "bench-idle");
const topic = "idle";
const settleMs = 5_000;
const cpuShareAim = 0.1;

const { values } = parseArgs({
  options: {
    groups: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    busy: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const groups = Number(values.groups);

await mkdir(directory, { recursive: true });
const data = join(directory, `data-${process.pid}`);
try {
  await using cluster = await BenchCluster.start(data);
  await using client = new ClusterClient(cluster.nodes);
  await client.createTopic(topic, groups);
  await client.untilWhole(topic);
  await sleep(settleMs);
  const run = await measure(cluster, client, { seconds: Number(values.seconds), isBusy: values.busy });
  const text = describe(run);
  process.stdout.write(`${text}\n`);
  if (values.write) await rewriteTable("idle", (old) => withRow(run, old));
} finally {
  await rm(data, { recursive: true, force: true });
}

async function measure(
  { nodes }: BenchCluster,
  client: ClusterClient,
  { seconds, isBusy }: { seconds: number; isBusy: boolean },
): Promise<IdleRun> {
  const epochs = await leaderEpochs(client);
  using _loops = isBusy ? startBusyLoops() : undefined;
  const before = nodes.map(usedSeconds);
  const beganMs = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - beganMs) / 1000;
  const cpuShares = nodes.map((node, at) => (usedSeconds(node) - (before[at] ?? 0)) / elapsed);
  const later = await leaderEpochs(client);
  return {
    isBusy,
    seconds,
    cpuShares,
    residentBytes: nodes.map(({ pid }) => residentBytes(pid)),
    elections: epochs.filter((epoch, partition) => later[partition] !== epoch).length,
  };
}

function usedSeconds({ pid }: BenchNode): number {
  return cpuSeconds(pid);
}

/** By partition: an election makes a leader's epoch another one, whoever wins it. */
async function leaderEpochs(client: ClusterClient): Promise<number[]> {
  const request = { topics: [{ name: topic }], allowAutoTopicCreation: false };
  const answer = await client.ask(client.nodeIds[0] ?? 1, { api: Metadata, version: 9, request });
  const epochs: number[] = [];
  for (const { partitionIndex, leaderEpoch } of answer.topics[0]?.partitions ?? []) {
    epochs[partitionIndex] = leaderEpoch;
  }
  return epochs;
}

/** Starts programs that never rest, one for each core, as important as the nodes are. */
function startBusyLoops(): Disposable {
  const children = cpus().map(() => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  return {
    [Symbol.dispose]: () => {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

function describe({ cpuShares, residentBytes: bytes, elections, seconds, isBusy }: IdleRun): string {
  const shares = cpuShares.map((share) => `${(100 * share).toFixed(1)} %`).join(", ");
  const memory = bytes.map((each) => Math.round(each / 1e6)).join(", ");
  const beside = isBusy ? " beside a busy program on each core" : "";
  return `${groups} groups, ${seconds} s${beside}: ${shares} of a core by node, ${elections} elections, ${memory} MB`;
}

/** The table with the row of this kind of run in place of an earlier one. */
function withRow(run: IdleRun, old: string): string {
  const title = run.isBusy ? "a busy program on each core" : "nothing";
  const worst = Math.max(...run.cpuShares);
  const verdict = (isMet: boolean): string => (isMet ? "met" : "**missed**");
  const row = [
    title,
    `${run.seconds} s`,
    run.cpuShares.map((share) => `${(100 * share).toFixed(1)} %`).join(", "),
    run.isBusy ? "" : `≤ 10 % ${verdict(worst <= cpuShareAim)}`,
    String(run.elections),
    `0 ${verdict(run.elections === 0)}`,
  ];
  const kept = old
    .split("\n")
    .filter(
      (line) => line.startsWith("| ") && !line.startsWith("| beside") && !line.startsWith(`| ${title} |`),
    );
  const header = [
    "| beside it | for | of a core, by node | aim | elections | aim |",
    "|---|---|---|---|---|---|",
  ];
  const rows = [...kept, `| ${row.join(" | ")} |`].toSorted((a, b) => b.localeCompare(a));
  const day = new Date().toISOString().slice(0, 10);
  const note = `${day}: ${groups} groups of three replicas, three nodes, ${cpus().length} cores.`;
  return [note, "", ...header, ...rows].join("\n");
}
