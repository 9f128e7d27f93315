import { type Anomaly, allowedByKafka } from "./anomaly.ts";
import { checkCycles } from "./check-cycles.ts";
import { checkOrder, type OrderRules } from "./check-order.ts";
import { checkRealTime } from "./check-real-time.ts";
import { checkRegisters } from "./check-registers.ts";
import { checkValues, type ValueRules } from "./check-values.ts";
import type { Operation } from "./operation.ts";
import { versionOrders } from "./version-order.ts";

export interface CheckRules extends ValueRules, OrderRules {
  /** Whether every read was answered by the one leader there is: then real time binds reads to writes. */
  readonly isReadFresh: boolean;
}

/** What a history shows: what must not be, and what Kafka's contract lets pass. */
export interface Verdict {
  readonly violations: readonly Anomaly[];
  readonly allowed: readonly Anomaly[];
}

/**
 * Judges a history after Jepsen's kafka workload. A poll skip or a step back is no violation across an `assign`
 * step, which clients record at every rebalance.
 */
export function checkHistory(history: readonly Operation[], rules: CheckRules): Verdict {
  const views = versionOrders(history);
  const anomalies = [
    ...[...views.values()].flatMap((view) => checkValues(view, history, rules)),
    ...checkOrder(views, history, rules),
    ...checkCycles(views, history),
    ...checkRegisters(history),
    ...checkRealTime(history, rules),
  ];
  const { true: allowed = [], false: violations = [] } = Object.groupBy(anomalies, ({ kind }) =>
    allowedByKafka.has(kind) ? "true" : "false",
  );
  return { violations, allowed };
}
