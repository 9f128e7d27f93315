import type { Anomaly } from "./anomaly.ts";
import { type CommitStep, type CommittedStep, type Operation, stepsOf } from "./operation.ts";

interface Write {
  readonly operation: Operation;
  readonly offset: number;
}

/**
 * Checks each group's stored offset as a register: what is read was written, and not overwritten by a write that
 * was both begun after it was answered and answered before the read began.
 */
export function checkCommits(history: readonly Operation[]): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const writes = new Map<string, Write[]>();
  for (const operation of history) {
    for (const step of stepsOf(operation, "commit")) {
      if (operation.outcome === "failed") continue;
      const known = writes.get(register(step)) ?? [];
      writes.set(register(step), known);
      known.push({ operation, offset: step.offset });
    }
  }
  for (const reader of history) {
    if (reader.outcome !== "ok") continue;
    for (const step of stepsOf(reader, "committed")) {
      const before = writes.get(register(step)) ?? [];
      const possible = possibleOffsets(before, reader);
      if (possible.has(step.offset)) continue;
      const wanted = [...possible].map(String).join(", ");
      const details = `operation ${reader.index} read ${step.offset} for group ${step.group} where ${wanted} could be`;
      anomalies.push({ kind: "lostCommit", key: step.key, details });
    }
  }
  return anomalies;
}

function register({ group, key }: CommitStep | CommittedStep): string {
  return `${group}/${key}`;
}

function possibleOffsets(writes: readonly Write[], reader: Operation): Set<number | undefined> {
  const answered = writes.filter(
    ({ operation }) => operation.outcome === "ok" && operation.completedAt < reader.invokedAt,
  );
  const lastBegun = Math.max(
    Number.NEGATIVE_INFINITY,
    ...answered.map(({ operation }) => operation.invokedAt),
  );
  const possible = new Set<number | undefined>(answered.length === 0 ? [undefined] : []);
  for (const { operation, offset } of writes) {
    if (operation.invokedAt > reader.completedAt) continue;
    const isOverwritten = operation.outcome === "ok" && operation.completedAt < lastBegun;
    if (!isOverwritten) possible.add(offset);
  }
  return possible;
}
