import type { Key, Operation, SendStep, Step } from "./operation.ts";

/** Who sent a value, and how. */
export interface Sent {
  readonly operation: Operation;
  readonly step: SendStep;
}

/** What a history knows of one partition. */
export interface KeyView {
  readonly key: Key;
  /** Value → its send. */
  readonly sent: ReadonlyMap<number, Sent>;
  /** Value → offsets at which anybody found it. */
  readonly polled: ReadonlyMap<number, ReadonlySet<number>>;
  /** Offset → values that were found there or firmly acknowledged there; more than one is an anomaly. */
  readonly valuesAt: ReadonlyMap<number, ReadonlySet<number>>;
  /** Offsets with a value, ascending: the versions. */
  readonly offsets: readonly number[];
  /** Offset → its place in `offsets`. */
  readonly versionAt: ReadonlyMap<number, number>;
  /** Requests that records go, whether they were answered or not. */
  readonly trims: readonly Trim[];
  readonly isDropped: boolean;
}

/** From `invokedAt` on, records below `offset` may be gone. */
interface Trim {
  readonly invokedAt: number;
  readonly offset: number;
}

/** Below the answer records may be gone by that time. */
export function trimmedBelow({ trims }: Pick<KeyView, "trims">, time: number): number {
  let below = 0;
  for (const { invokedAt, offset } of trims) if (invokedAt <= time) below = Math.max(below, offset);
  return below;
}

/** A send whose record must never be lost: answered, and by all who had to have it. */
export function isFirm({ operation, step }: Sent): boolean {
  return operation.outcome === "ok" && step.acks === "all" && step.offset !== undefined;
}

interface Gathered {
  readonly sent: Map<number, Sent>;
  readonly polled: Map<number, Set<number>>;
  readonly valuesAt: Map<number, Set<number>>;
  readonly trims: Trim[];
  isDropped: boolean;
}

/** Orders each key's values by their offsets, as acknowledged and as read. */
export function versionOrders(history: readonly Operation[]): ReadonlyMap<Key, KeyView> {
  const gathered = new Map<Key, Gathered>();
  for (const operation of history) {
    for (const step of operation.steps) {
      if (!("key" in step)) continue;
      const key = gathered.get(step.key) ?? emptyKey();
      gathered.set(step.key, key);
      gather(key, operation, step);
    }
  }
  return new Map([...gathered].map(([key, found]) => [key, viewOf(key, found)]));
}

function emptyKey(): Gathered {
  return { sent: new Map(), polled: new Map(), valuesAt: new Map(), trims: [], isDropped: false };
}

function gather(key: Gathered, operation: Operation, step: Extract<Step, { key: Key }>): void {
  switch (step.kind) {
    case "send": {
      const sent = { operation, step };
      key.sent.set(step.value, sent);
      if (isFirm(sent) && step.offset !== undefined) add(key.valuesAt, step.offset, step.value);
      break;
    }
    case "poll":
      if (operation.outcome !== "ok") break;
      for (const { offset, value } of step.records) {
        add(key.polled, value, offset);
        add(key.valuesAt, offset, value);
      }
      break;
    case "trim":
      if (operation.outcome !== "failed")
        key.trims.push({ invokedAt: operation.invokedAt, offset: step.offset });
      break;
    case "drop":
      if (operation.outcome !== "failed") key.isDropped = true;
      break;
    default:
      step satisfies never;
  }
}

function viewOf(key: Key, found: Gathered): KeyView {
  const offsets = [...found.valuesAt.keys()].sort((a, b) => a - b);
  return { key, ...found, offsets, versionAt: new Map(offsets.map((offset, version) => [offset, version])) };
}

function add<K, V>(sets: Map<K, Set<V>>, at: K, value: V): void {
  const set = sets.get(at);
  if (set) set.add(value);
  else sets.set(at, new Set([value]));
}
