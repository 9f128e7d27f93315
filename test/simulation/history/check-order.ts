import type { Anomaly } from "./anomaly.ts";
import { type Key, type Operation, type PollStep, type SendStep, stepsOf } from "./operation.ts";
import { type KeyView, trimmedBelow } from "./version-order.ts";

/** What the order of reads may assume of a key. */
export interface OrderRules {
  /** Whether offsets of a key follow each other without gaps: no compaction, no transaction markers. */
  readonly isDense: (key: Key) => boolean;
}

type Views = ReadonlyMap<Key, KeyView>;

/** Checks that each reader sees a key's versions one after the other, and each sender's records stay in order. */
export function checkOrder(views: Views, history: readonly Operation[], rules: OrderRules): Anomaly[] {
  const anomalies: Anomaly[] = [];
  for (const operations of Map.groupBy(history, ({ process }) => process).values()) {
    anomalies.push(...pollOrder(views, operations, rules), ...sendOrder(operations));
  }
  return anomalies;
}

/** What a process has read last of a key, in the same assignment. */
interface Reading {
  readonly offset: number;
  readonly operation: Operation;
}

function* pollOrder(views: Views, operations: readonly Operation[], rules: OrderRules): Generator<Anomaly> {
  const readings = new Map<Key, Reading>();
  for (const operation of operations) {
    if (operation.outcome !== "ok") continue;
    const polledHere = new Set<Key>();
    for (const step of operation.steps) {
      if (step.kind === "assign") {
        if (step.how === "seek") for (const key of step.keys) readings.delete(key);
        else readings.clear();
      }
      if (step.kind !== "poll") continue;
      const view = views.get(step.key);
      if (!view) continue;
      yield* readInOrder(view, { operation, step, reading: readings.get(step.key), rules, polledHere });
      const last = step.records.at(-1);
      if (last) readings.set(step.key, { offset: last.offset, operation });
      if (last) polledHere.add(step.key);
    }
  }
}

function* readInOrder(
  view: KeyView,
  poll: {
    readonly operation: Operation;
    readonly step: PollStep;
    readonly reading: Reading | undefined;
    readonly rules: OrderRules;
    readonly polledHere: ReadonlySet<Key>;
  },
): Generator<Anomaly> {
  const { operation, step, reading, rules, polledHere } = poll;
  const { key } = step;
  const goneBelow = trimmedBelow(view, operation.completedAt);
  let before = reading?.offset;
  // Within one operation the same mistakes go by other names: there a rebalance excuses nothing.
  let isInternal = polledHere.has(key);
  let expected = step.position;
  for (const { offset, value } of step.records) {
    const where = `operation ${operation.index} read value ${value} at offset ${offset} after offset ${before}`;
    if (before !== undefined && offset <= before) {
      yield { kind: isInternal ? "internalNonmonotonicPoll" : "nonmonotonicPoll", key, details: where };
    } else if (before !== undefined && skips(view, { before, offset, goneBelow })) {
      yield { kind: isInternal ? "internalPollSkip" : "pollSkip", key, details: where };
    }
    if (rules.isDense(key) && offset !== expected && offset > goneBelow) {
      const details = `operation ${operation.index} found offset ${offset} where ${expected} is next`;
      yield { kind: "offsetGap", key, details };
    }
    expected = offset + 1;
    before = offset;
    isInternal = true;
  }
}

/** True when a version between the two still had to be there. */
function skips(
  { offsets, versionAt }: KeyView,
  { before, offset, goneBelow }: { before: number; offset: number; goneBelow: number },
): boolean {
  const from = versionAt.get(before);
  const to = versionAt.get(offset);
  if (from === undefined || to === undefined || to <= from + 1) return false;
  return (offsets[to - 1] ?? -1) >= goneBelow;
}

function* sendOrder(operations: readonly Operation[]): Generator<Anomaly> {
  const lastSent = new Map<Key, { offset: number; operation: Operation }>();
  for (const operation of operations) {
    if (operation.outcome !== "ok") continue;
    const within = new Map<Key, number>();
    for (const step of stepsOf(operation, "send")) {
      if (step.offset === undefined || step.mayRepeat) continue;
      yield* sentInOrder(
        operation,
        { ...step, offset: step.offset },
        within.get(step.key),
        lastSent.get(step.key),
      );
      within.set(step.key, step.offset);
    }
    for (const [key, offset] of within) lastSent.set(key, { offset, operation });
  }
}

function* sentInOrder(
  operation: Operation,
  { key, value, offset }: SendStep & { readonly offset: number },
  within: number | undefined,
  last: { readonly offset: number; readonly operation: Operation } | undefined,
): Generator<Anomaly> {
  const where = `operation ${operation.index} sent value ${value} to offset ${offset}`;
  if (within !== undefined) {
    const details = `${where} after offset ${within}`;
    if (offset <= within) yield { kind: "internalNonmonotonicSend", key, details };
    else if (offset > within + 1) yield { kind: "internalSendSkip", key, details };
  } else if (last && offset <= last.offset) {
    const details = `${where}, operation ${last.operation.index} before it to offset ${last.offset}`;
    yield { kind: "nonmonotonicSend", key, details };
  }
}
