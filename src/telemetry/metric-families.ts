import { brokerFamilies } from "./broker-families.ts";
import { groupFamilies } from "./group-families.ts";
import type { MetricFamily } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";
import { processFamilies } from "./process-families.ts";
import { raftFamilies } from "./raft-families.ts";
import { requestFamilies } from "./request-families.ts";
import { storageFamilies } from "./storage-families.ts";

/** One part of the metrics, as docs/metrics.md shows them. */
export interface FamilyGroup {
  readonly title: string;
  readonly families: readonly MetricFamily<MetricSources>[];
}

/** Every metric of a broker: the source of /metrics and of docs/metrics.md. */
export const familyGroups: readonly FamilyGroup[] = [
  { title: "Broker and cluster", families: brokerFamilies },
  { title: "Connections, requests and traffic", families: requestFamilies },
  { title: "Journal, memory, disk and logs", families: storageFamilies },
  { title: "Replication", families: raftFamilies },
  { title: "Consumer groups", families: groupFamilies },
  { title: "Process", families: processFamilies },
];

export const metricFamilies: readonly MetricFamily<MetricSources>[] = familyGroups.flatMap(
  ({ families }) => families,
);
