import type { ClassicGroup } from "../coordinators/groups/group.ts";
import { type MetricFamily, type Sample, single } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";

/** Consumer groups: the names of kafka_exporter for what is per partition, Redpanda's and Kafka's for the rest. */
export const groupFamilies: readonly MetricFamily<MetricSources>[] = [
  {
    name: "kafka_coordinator_group_groupmetadatamanager_numgroups",
    kind: "gauge",
    help: "Groups that this node coordinates.",
    labels: [],
    read: ({ groups }) => single([...groups.groups()].length),
  },
  {
    name: "millrace_groups",
    kind: "gauge",
    help: "Groups that this node coordinates, by state.",
    labels: ["state"],
    read: groupsByState,
  },
  {
    name: "kafka_consumergroup_members",
    kind: "gauge",
    help: "Members of a group.",
    labels: ["consumergroup"],
    read: ({ groups, detail }) =>
      detail === "broker" ? [] : ofGroups(groups.groups(), ({ members }) => members.size),
  },
  {
    name: "kafka_consumergroup_current_offset",
    kind: "gauge",
    help: "The offset that a group committed for a partition.",
    labels: ["consumergroup", "topic", "partition"],
    read: (sources) => committed(sources, ({ offset }) => offset),
  },
  {
    name: "kafka_consumergroup_lag",
    kind: "gauge",
    help: "Offsets between what a group committed and the end of the partition.",
    labels: ["consumergroup", "topic", "partition"],
    read: (sources) => committed(sources, ({ lag }) => lag),
  },
  {
    name: "millrace_kafka_consumer_group_lag_sum",
    kind: "gauge",
    help: "A group's lag over all partitions that it committed.",
    labels: ["group"],
    read: (sources) => lags(sources, (all) => all.reduce((sum, lag) => sum + lag, 0)),
  },
  {
    name: "millrace_kafka_consumer_group_lag_max",
    kind: "gauge",
    help: "A group's largest lag of a partition.",
    labels: ["group"],
    read: (sources) => lags(sources, (all) => all.reduce((max, lag) => Math.max(max, lag), 0)),
  },
];

interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly lag: number;
}

function groupsByState({ groups }: MetricSources): Iterable<Sample> {
  const counts = new Map<string, number>();
  for (const { state } of groups.groups()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts.entries().map(([state, value]) => ({ labels: [state], value }));
}

function* ofGroups(
  groups: Iterable<ClassicGroup>,
  measure: (group: ClassicGroup) => number,
): Generator<Sample> {
  for (const group of groups) yield { labels: [group.id], value: measure(group) };
}

function* committed(sources: MetricSources, measure: (position: Position) => number): Generator<Sample> {
  if (sources.detail !== "partition") return;
  for (const group of sources.groups.groups()) {
    for (const position of positionsOf(group, sources)) {
      const { topic, partition } = position;
      yield { labels: [group.id, topic, String(partition)], value: measure(position) };
    }
  }
}

function* lags(sources: MetricSources, combine: (all: readonly number[]) => number): Generator<Sample> {
  if (sources.detail === "broker") return;
  for (const group of sources.groups.groups()) {
    const all = Array.from(positionsOf(group, sources), ({ lag }) => lag);
    if (all.length > 0) yield { labels: [group.id], value: combine(all) };
  }
}

/** Where a group stands in the partitions that this node knows the ends of. */
function* positionsOf(group: ClassicGroup, { partitions }: MetricSources): Generator<Position> {
  for (const {
    topic,
    partition: index,
    committed: { offset },
  } of group.offsets.entries()) {
    const partition = partitions.find(topic, index);
    if (!partition) continue;
    yield { topic, partition: index, offset, lag: Math.max(0, partition.highWatermark - offset) };
  }
}
