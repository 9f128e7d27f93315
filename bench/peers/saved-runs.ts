import { readFile, writeFile } from "node:fs/promises";
import type { PeerName } from "./peer.ts";
import type { PeerRun } from "./run-peer.ts";

type Saved = readonly (readonly [PeerName, readonly SavedRun[]])[];
type SavedRun = Omit<PeerRun, "results"> & {
  readonly results: readonly (readonly [string, ReturnType<PeerRun["results"]["get"]> | null])[];
};

/** The runs in a file, by broker: a comparison may be made of short stretches, hours apart. None where there is no file. */
export async function loadRuns(path: string): Promise<Map<PeerName, PeerRun[]>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return new Map();
  }
  return new Map(
    (JSON.parse(text) as Saved).map(([name, runs]) => [
      name,
      runs.map((run) => ({
        ...run,
        results: new Map(run.results.map(([scenario, result]) => [scenario, result ?? undefined])),
      })),
    ]),
  );
}

export async function saveRuns(path: string, runs: ReadonlyMap<PeerName, readonly PeerRun[]>): Promise<void> {
  const saved: Saved = Array.from(runs, ([name, each]) => [
    name,
    each.map((run) => ({ ...run, results: [...run.results] })),
  ]);
  await writeFile(path, JSON.stringify(saved));
}
