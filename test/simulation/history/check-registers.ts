import type { Anomaly } from "./anomaly.ts";
import { type Operation, stepsOf } from "./operation.ts";

interface Write {
  readonly operation: Operation;
  readonly value: number | undefined;
}

/**
 * Checks named values as registers: what is read was written, and not overwritten by a write that was both begun
 * after it was answered and answered before the read began. A register that was never written has no value.
 */
export function checkRegisters(history: readonly Operation[]): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const writes = new Map<string, Write[]>();
  for (const operation of history) {
    if (operation.outcome === "failed") continue;
    for (const { register, value } of stepsOf(operation, "write")) {
      const known = writes.get(register) ?? [];
      writes.set(register, known);
      known.push({ operation, value });
    }
  }
  for (const reader of history) {
    if (reader.outcome !== "ok") continue;
    for (const { register, value } of stepsOf(reader, "read")) {
      const possible = possibleValues(writes.get(register) ?? [], reader);
      if (possible.has(value)) continue;
      const wanted = [...possible].map(String).join(", ");
      const details = `operation ${reader.index} read ${value} for ${register} where ${wanted} could be`;
      anomalies.push({ kind: "lostUpdate", key: undefined, details });
    }
  }
  return anomalies;
}

function possibleValues(writes: readonly Write[], reader: Operation): Set<number | undefined> {
  let lastBegun = Number.NEGATIVE_INFINITY;
  for (const { operation } of writes) {
    const isAnswered = operation.outcome === "ok" && operation.completedAt < reader.invokedAt;
    if (isAnswered) lastBegun = Math.max(lastBegun, operation.invokedAt);
  }
  const possible = new Set<number | undefined>();
  if (lastBegun === Number.NEGATIVE_INFINITY) possible.add(undefined);
  for (const { operation, value } of writes) {
    if (operation.invokedAt > reader.completedAt) continue;
    const isOverwritten = operation.outcome === "ok" && operation.completedAt < lastBegun;
    if (!isOverwritten) possible.add(value);
  }
  return possible;
}
