import type { Anomaly } from "./anomaly.ts";
import { type Key, type Operation, stepsOf } from "./operation.ts";

/** An interval of real time with an offset that was learnt in it. */
interface Observation {
  readonly invokedAt: number;
  readonly completedAt: number;
  readonly offset: number;
  readonly operation: Operation;
}

/**
 * Checks offsets against real time: what was acknowledged before something else began lies before it in the log.
 *
 * Where no former leader can still answer a reader, what was acknowledged can also be read by then, and the end that
 * readers are shown never goes back.
 */
export function checkRealTime(
  history: readonly Operation[],
  { isReadFresh }: { readonly isReadFresh: boolean },
): Anomaly[] {
  const acknowledged = observations(history, (operation) =>
    stepsOf(operation, "send").flatMap(({ key, offset, acks, mayRepeat }) =>
      offset === undefined || acks !== "all" || mayRepeat ? [] : { key, offset },
    ),
  );
  const watermarks = observations(isReadFresh ? history : [], (operation) =>
    stepsOf(operation, "poll").map(({ key, highWatermark }) => ({ key, offset: highWatermark })),
  );
  const anomalies: Anomaly[] = [];
  for (const [key, sends] of acknowledged) {
    for (const [earlier, later] of overtaken(sends, sends)) {
      const details = `operation ${later.operation.index} began after operation ${earlier.operation.index} was acknowledged at offset ${earlier.offset}, and got offset ${later.offset}`;
      anomalies.push({ kind: "disorder", key, details });
    }
    const ends = sends.map((send) => ({ ...send, offset: send.offset + 1 }));
    for (const [earlier, later] of overtaken(ends, watermarks.get(key) ?? [])) {
      const details = `operation ${later.operation.index} saw the end ${later.offset} after operation ${earlier.operation.index} was acknowledged up to ${earlier.offset}`;
      anomalies.push({ kind: "staleRead", key, details });
    }
  }
  for (const [key, reads] of watermarks) {
    for (const [earlier, later] of overtaken(reads, reads)) {
      const details = `operation ${later.operation.index} saw the end ${later.offset} after operation ${earlier.operation.index} saw ${earlier.offset}`;
      anomalies.push({ kind: "watermarkBack", key, details });
    }
  }
  return anomalies;
}

function observations(
  history: readonly Operation[],
  read: (operation: Operation) => readonly { key: Key; offset: number }[],
): Map<Key, Observation[]> {
  const byKey = new Map<Key, Observation[]>();
  for (const operation of history) {
    if (operation.outcome !== "ok") continue;
    const { invokedAt, completedAt } = operation;
    for (const { key, offset } of read(operation)) {
      const known = byKey.get(key) ?? [];
      byKey.set(key, known);
      known.push({ invokedAt, completedAt, offset, operation });
    }
  }
  return byKey;
}

/** Pairs where the later one began after the earlier one had ended, and shows less than it. */
function* overtaken(
  earlier: readonly Observation[],
  later: readonly Observation[],
): Generator<[earlier: Observation, later: Observation]> {
  const completed = earlier.toSorted((a, b) => a.completedAt - b.completedAt);
  let highest: Observation | undefined;
  let at = 0;
  for (const observation of later.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    for (; ; at++) {
      const next = completed[at];
      if (!next || next.completedAt >= observation.invokedAt) break;
      if (!highest || next.offset > highest.offset) highest = next;
    }
    if (highest && observation.offset < highest.offset) yield [highest, observation];
  }
}
