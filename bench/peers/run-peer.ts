import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { residentBytes } from "../load/broker-process.ts";
import type { LoadResult } from "../load/run-load.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import type { Scenario, Step } from "./scenarios.ts";

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
  readonly results: ReadonlyMap<string, LoadResult | undefined>;
}

export interface PeerRunOptions {
  readonly directory: string;
  readonly scenarios: readonly Scenario[];
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
    const idleBytes = residentBytes(running.pid);
    tell(
      `${peer.name}: serves after ${Math.round(running.startMs)} ms, holds ${Math.round(idleBytes / 1e6)} MB`,
    );
    await runStep(running, { workload: "produce", changes: { warmup: 0, seconds: 5 } }, "first", options);
    const results = new Map<string, LoadResult | undefined>();
    for (const scenario of scenarios) {
      results.set(scenario.name, await runScenario(running, scenario, options));
    }
    await sleep(idleMs);
    return { startMs: running.startMs, idleBytes, loadedBytes: residentBytes(running.pid), results };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runScenario(
  running: RunningPeer,
  scenario: Scenario,
  options: PeerRunOptions,
): Promise<LoadResult | undefined> {
  try {
    let result: LoadResult | undefined;
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
  { seconds }: PeerRunOptions,
): Promise<LoadResult> {
  if (step.cold) await running.makeCold();
  const isTimed = step.workload !== "fill" && step.workload !== "drain";
  const changes = { ...(isTimed && seconds !== undefined ? { seconds } : {}), ...step.changes };
  const { host, port } = running.address;
  const { stdout } = await run(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      load,
      step.workload,
      "--json",
      `--bootstrap=${host}:${port}`,
      `--topic=${topic}`,
      `--broker-pid=${running.pid}`,
      ...Object.entries(changes).map(([option, value]) => `--${option}=${value}`),
    ],
    { timeout: stepMsMax, maxBuffer: 1 << 20 },
  );
  return JSON.parse(stdout) as LoadResult;
}

function describe({ measures }: Scenario, result: LoadResult): string {
  const parts = measures.map(({ label, unit, of }) => `${label} ${of(result).toFixed(2)} ${unit}`);
  return `${parts.join(", ")}; generator ${Math.round(result.generatorCpuShare * 100)} %`;
}
