import { type MetricFamily, single } from "./metric-family.ts";
import type { BrokerPhase, MetricSources } from "./metric-sources.ts";

/** Kafka's numbers for the states of a broker. */
const brokerStates: Readonly<Record<BrokerPhase, number>> = { recovering: 2, serving: 3, stopping: 7 };

/** The node and the cluster as a whole. */
export const brokerFamilies: readonly MetricFamily<MetricSources>[] = [
  {
    name: "kafka_server_kafkaserver_brokerstate",
    kind: "gauge",
    help: "State of the broker: 2 recovering, 3 serving, 7 stopping.",
    labels: [],
    read: ({ phase }) => single(brokerStates[phase]),
  },
  {
    name: "millrace_application_uptime_seconds",
    kind: "gauge",
    help: "Seconds since the broker began to start.",
    labels: [],
    read: ({ uptimeMs }) => single(uptimeMs / 1_000),
  },
  {
    name: "kafka_controller_kafkacontroller_activecontrollercount",
    kind: "gauge",
    help: "1 where this node takes administrative requests.",
    labels: [],
    read: () => single(1),
  },
  {
    name: "kafka_controller_kafkacontroller_activebrokercount",
    kind: "gauge",
    help: "Brokers in the cluster.",
    labels: [],
    read: ({ image }) => single(image.brokers.size),
  },
  {
    name: "kafka_controller_kafkacontroller_globaltopiccount",
    kind: "gauge",
    help: "Topics in the cluster.",
    labels: [],
    read: ({ image }) => single(image.topics.size),
  },
  {
    name: "kafka_controller_kafkacontroller_globalpartitioncount",
    kind: "gauge",
    help: "Partitions in the cluster.",
    labels: [],
    read: ({ image }) =>
      single(image.topics.values().reduce((sum, topic) => sum + topic.partitions.length, 0)),
  },
  {
    name: "kafka_server_replicamanager_partitioncount",
    kind: "gauge",
    help: "Partitions open on this node.",
    labels: [],
    read: ({ partitions }) => single(count(partitions.all(), () => true)),
  },
  {
    name: "kafka_server_replicamanager_leadercount",
    kind: "gauge",
    help: "Partitions that this node leads.",
    labels: [],
    read: ({ partitions }) => single(count(partitions.all(), ({ isLeader }) => isLeader)),
  },
];

function count<T>(items: Iterable<T>, matches: (item: T) => boolean): number {
  let matching = 0;
  for (const item of items) if (matches(item)) matching += 1;
  return matching;
}
