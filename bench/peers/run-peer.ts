import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { residentBytes } from "../load/broker-process.ts";
import type { LoadResult } from "../load/run-load.ts";
import { readJournalWrites, writesPerPass } from "./journal-writes.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import type { Scenario, ScenarioResult, Step } from "./scenarios.ts";

const run = promisify(execFile);
const load = join(import.meta.dirname, "..", "load", "main.ts");

/** The longest that one load may take before it counts as failed. */
const stepMsMax = 240_000;
const idleMs = 3_000;

/** What one life of a broker showed. */
export interface PeerRun {
  readonly startMs: number;
  readonly idleBytes: number;
  readonly loadedBytes: number;
  /** By scenario; undefined for one that failed. */
  readonly results: ReadonlyMap<string, ScenarioResult | undefined>;
}

export interface PeerRunOptions {
  readonly directory: string;
  readonly scenarios: readonly Scenario[];
  /** Copies of each partition. */
  readonly replicas: number;
  /** Length of what is measured in each timed scenario; the workload's own unless told. */
  readonly seconds: number | undefined;
  readonly tell: (line: string) => void;
}

/** Starts a broker, runs the scenarios one after the other, stops it and removes its data. @throws Error when it does not start */
export async function runPeer(peer: Peer, options: PeerRunOptions): Promise<PeerRun> {
  const { directory, scenarios, tell } = options;
  try {
    await using running = await peer.start(directory);
    await sleep(idleMs);
    const idleBytes = residentBytesOf(running);
    tell(
      `${peer.name}: serves after ${Math.round(running.startMs)} ms, holds ${Math.round(idleBytes / 1e6)} MB`,
    );
    const { replicas } = options;
    await runStep(
      running,
      { workload: "produce", changes: { warmup: 0, seconds: 5, replicas } },
      "first",
      options,
    );
    const results = new Map<string, ScenarioResult | undefined>();
    for (const scenario of scenarios) {
      results.set(scenario.name, await runScenario(running, scenario, options));
    }
    await sleep(idleMs);
    return { startMs: running.startMs, idleBytes, loadedBytes: residentBytesOf(running), results };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runScenario(
  running: RunningPeer,
  scenario: Scenario,
  options: PeerRunOptions,
): Promise<ScenarioResult | undefined> {
  try {
    let result: ScenarioResult | undefined;
    for (const step of scenario.steps) {
      result = await runStep(running, step, `${scenario.name}-${step.topic ?? "data"}`, options);
    }
    if (result) options.tell(`  ${scenario.name}: ${describe(scenario, result)}`);
    return result;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    options.tell(`  ${scenario.name}: failed: ${reason.trim()}`);
    return undefined;
  }
}

async function runStep(
  running: RunningPeer,
  step: Step,
  topic: string,
  { seconds, replicas }: PeerRunOptions,
): Promise<ScenarioResult> {
  if (step.cold) await running.makeCold();
  const isTimed = step.workload !== "fill" && step.workload !== "drain";
  const changes = { replicas, ...(isTimed && seconds !== undefined ? { seconds } : {}), ...step.changes };
  const { host, port } = running.address;
  const before = await readJournalWrites(running.metrics);
  const { stdout } = await run(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      load,
      step.workload,
      "--json",
      `--bootstrap=${host}:${port}`,
      `--topic=${topic}`,
      `--broker-pid=${running.pids.join(",")}`,
      ...Object.entries(changes).map(([option, value]) => `--${option}=${value}`),
    ],
    { timeout: stepMsMax, maxBuffer: 1 << 20 },
  );
  const journalWritesPerPass = writesPerPass(before, await readJournalWrites(running.metrics));
  return { ...(JSON.parse(stdout) as LoadResult), journalWritesPerPass };
}

function residentBytesOf({ pids }: RunningPeer): number {
  return pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

function describe({ measures }: Scenario, result: ScenarioResult): string {
  const parts = measures.flatMap(({ label, unit, of }) => {
    const value = of(result);
    return value === undefined ? [] : [`${label} ${value.toFixed(2)} ${unit}`];
  });
  return `${parts.join(", ")}; generator ${Math.round(result.generatorCpuShare * 100)} %`;
}
