import type { Anomaly } from "./anomaly.ts";
import { type Key, type Operation, stepsOf } from "./operation.ts";
import type { KeyView } from "./version-order.ts";

/** ww: it wrote the version after the other's · wr: it read what the other wrote. */
type EdgeKind = "ww" | "wr";

/** Operation → operations that come after it, by the kind of the dependency. */
type Graph = ReadonlyMap<Operation, ReadonlyMap<Operation, ReadonlySet<EdgeKind>>>;

/**
 * Looks for operations that depend on each other in a circle (Adya's G0 and G1c).
 *
 * G0 is a circle of ww edges alone, G1c one of wr edges alone, G1cMixed one of both.
 */
export function checkCycles(views: ReadonlyMap<Key, KeyView>, history: readonly Operation[]): Anomaly[] {
  const graph = dependencies(views, history);
  const anomalies: Anomaly[] = [];
  const found = (kind: Anomaly["kind"], cycles: Operation[][]) => {
    for (const cycle of cycles) {
      const details = `operations ${cycle
        .map(({ index }) => index)
        .sort((a, b) => a - b)
        .join(", ")}`;
      anomalies.push({ kind, key: undefined, details });
    }
  };
  const byWrites = components(graph, ["ww"]);
  const byReads = components(graph, ["wr"]);
  found("G0", byWrites);
  found("G1c", byReads);
  if (byReads.length === 0) {
    const mixed = components(graph, ["ww", "wr"]).filter((cycle) => hasReadEdge(graph, cycle));
    found("G1cMixed", mixed);
  }
  return anomalies;
}

function dependencies(views: ReadonlyMap<Key, KeyView>, history: readonly Operation[]): Graph {
  const graph = new Map<Operation, Map<Operation, Set<EdgeKind>>>();
  const add = (from: Operation, to: Operation, kind: EdgeKind) => {
    if (from === to) return;
    const edges = graph.get(from) ?? new Map<Operation, Set<EdgeKind>>();
    graph.set(from, edges);
    const kinds = edges.get(to) ?? new Set<EdgeKind>();
    edges.set(to, kinds);
    kinds.add(kind);
  };
  for (const { offsets, valuesAt, sent } of views.values()) {
    let before: Operation | undefined;
    for (const offset of offsets) {
      const [value] = valuesAt.get(offset) ?? [];
      const writer = value === undefined ? undefined : sent.get(value)?.operation;
      if (before && writer) add(before, writer, "ww");
      before = writer;
    }
  }
  for (const reader of history) {
    if (reader.outcome !== "ok") continue;
    for (const { key, records } of stepsOf(reader, "poll")) {
      for (const { value } of records) {
        const writer = views.get(key)?.sent.get(value)?.operation;
        if (writer) add(writer, reader, "wr");
      }
    }
  }
  return graph;
}

function hasReadEdge(graph: Graph, cycle: readonly Operation[]): boolean {
  const inside = new Set(cycle);
  return cycle.some((from) =>
    [...(graph.get(from) ?? [])].some(([to, kinds]) => inside.has(to) && kinds.has("wr")),
  );
}

/** Strongly connected components of more than one operation, over edges of some kinds (Tarjan, without recursion). */
function components(graph: Graph, kinds: readonly EdgeKind[]): Operation[][] {
  const cycles: Operation[][] = [];
  const indexes = new Map<Operation, number>();
  const lows = new Map<Operation, number>();
  const stack: Operation[] = [];
  const onStack = new Set<Operation>();
  const successors = (from: Operation) =>
    [...(graph.get(from) ?? [])].filter(([, edge]) => kinds.some((kind) => edge.has(kind))).map(([to]) => to);
  const enter = (operation: Operation) => {
    indexes.set(operation, indexes.size);
    lows.set(operation, indexes.size - 1);
    stack.push(operation);
    onStack.add(operation);
    return { operation, next: successors(operation).values() };
  };
  for (const root of graph.keys()) {
    if (indexes.has(root)) continue;
    const path = [enter(root)];
    for (let visit = path.at(-1); visit; visit = path.at(-1)) {
      const { operation } = visit;
      const step = visit.next.next();
      if (!step.done) {
        const to = step.value;
        if (!indexes.has(to)) path.push(enter(to));
        else if (onStack.has(to)) lower(lows, operation, indexes.get(to) ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) lower(lows, parent.operation, lows.get(operation) ?? 0);
      if (lows.get(operation) !== indexes.get(operation)) continue;
      const component = stack.splice(stack.lastIndexOf(operation));
      for (const member of component) onStack.delete(member);
      if (component.length > 1) cycles.push(component);
    }
  }
  return cycles;
}

function lower(lows: Map<Operation, number>, operation: Operation, low: number): void {
  lows.set(operation, Math.min(lows.get(operation) ?? low, low));
}
