import type { Anomaly } from "./anomaly.ts";
import { type Operation, stepsOf } from "./operation.ts";
import { isFirm, type KeyView, type Sent, trimmedBelow } from "./version-order.ts";

/** What the checks need to know of the whole history besides its operations. */
export interface ValueRules {
  /** The process that at the end read every key from its start to its end; without it nothing can be called unseen. */
  readonly finalReader: string | undefined;
}

/** Checks what became of each value of a key: nothing lost, nothing twice, nothing from nowhere. */
export function checkValues(view: KeyView, history: readonly Operation[], rules: ValueRules): Anomaly[] {
  return [
    ...inconsistentOffsets(view),
    ...duplicates(view),
    ...badReads(view, history),
    ...lostWrites(view, history, rules),
  ];
}

function* inconsistentOffsets({ key, valuesAt }: KeyView): Generator<Anomaly> {
  for (const [offset, values] of valuesAt) {
    if (values.size < 2) continue;
    yield { kind: "inconsistentOffsets", key, details: `offset ${offset} has values ${list(values)}` };
  }
}

/** A value in two places; where it was acknowledged is a place as well as where it was read. */
function* duplicates({ key, sent, polled }: KeyView): Generator<Anomaly> {
  for (const [value, offsets] of polled) {
    const origin = sent.get(value);
    if (origin?.step.mayRepeat) continue;
    const places = new Set(offsets);
    if (origin && isFirm(origin) && origin.step.offset !== undefined) places.add(origin.step.offset);
    if (places.size < 2) continue;
    yield { kind: "duplicate", key, details: `value ${value} is at offsets ${list(places)}` };
  }
}

/** Reads of what was never sent, of what failed, and of a transaction's own sends before it committed. */
function* badReads({ key, sent }: KeyView, history: readonly Operation[]): Generator<Anomaly> {
  for (const reader of history) {
    if (reader.outcome !== "ok") continue;
    for (const { records, key: polledKey } of stepsOf(reader, "poll")) {
      if (polledKey !== key) continue;
      for (const { value, offset } of records) {
        const origin = sent.get(value);
        const details = `operation ${reader.index} read value ${value} at offset ${offset}`;
        if (!origin || origin.operation.invokedAt > reader.completedAt) {
          yield { kind: "neverSent", key, details };
        } else if (origin.operation === reader) {
          yield { kind: "precommittedRead", key, details };
        } else if (origin.operation.outcome === "failed") {
          yield {
            kind: "abortedRead",
            key,
            details: `${details}, which operation ${origin.operation.index} failed to send`,
          };
        }
      }
    }
  }
}

/**
 * A value that must be there, for it was acknowledged or read, and that nobody finds.
 *
 * With a final reader it is lost unless that one found it. Without, it is lost when somebody read what lies behind
 * it, and only unseen at the end of what was read.
 */
function* lostWrites(view: KeyView, history: readonly Operation[], rules: ValueRules): Generator<Anomaly> {
  const { key, sent, polled, isDropped } = view;
  if (isDropped) return;
  const final = finalReads(view, history, rules);
  let lastPolled = -1;
  for (const offsets of polled.values()) for (const at of offsets) lastPolled = Math.max(lastPolled, at);
  const goneBelow = trimmedBelow(view, Number.POSITIVE_INFINITY);
  const seen = final ?? new Set(polled.keys());
  for (const [value, offset, origin] of owed(view)) {
    if (seen.has(value) || offset < goneBelow) continue;
    const by = origin ? `, of operation ${origin.operation.index},` : "";
    const details = `value ${value}${by} was at offset ${offset}`;
    if (final || offset < lastPolled) yield { kind: "lostWrite", key, details };
    else if (rules.finalReader !== undefined) yield { kind: "unseen", key, details };
  }
  if (final === undefined && rules.finalReader !== undefined && lastPolled < 0 && sent.size > 0) {
    const firm = [...sent.values()].some(isFirm);
    if (firm) yield { kind: "unseen", key, details: "the final reader never read it" };
  }
}

/** Values that the broker has promised: acknowledged ones, and those that somebody was shown. */
function* owed({
  sent,
  polled,
}: KeyView): Generator<[value: number, offset: number, origin: Sent | undefined]> {
  for (const [value, origin] of sent) {
    const { offset } = origin.step;
    if (isFirm(origin) && offset !== undefined) yield [value, offset, origin];
  }
  for (const [value, offsets] of polled) {
    const origin = sent.get(value);
    if (!origin || !isFirm(origin)) yield [value, Math.max(...offsets), origin];
  }
}

function finalReads(
  { key }: KeyView,
  history: readonly Operation[],
  { finalReader }: ValueRules,
): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  let hasRead = false;
  for (const operation of history) {
    if (operation.process !== finalReader || operation.outcome !== "ok") continue;
    for (const step of stepsOf(operation, "poll")) {
      if (step.key !== key) continue;
      hasRead = true;
      for (const { value } of step.records) values.add(value);
    }
  }
  return hasRead ? values : undefined;
}

function list(values: ReadonlySet<number>): string {
  return [...values].sort((a, b) => a - b).join(", ");
}
