import { type MetricFamily, type Sample, single } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";
import type { Traffic } from "./topic-traffic.ts";

/** Connections, requests and what they carry. */
export const requestFamilies: readonly MetricFamily<MetricSources>[] = [
  {
    name: "kafka_network_requestmetrics_requests_total",
    kind: "counter",
    help: "Requests answered.",
    labels: ["request", "version"],
    read: ({ telemetry }) => telemetry.requests.requests(),
  },
  {
    name: "kafka_network_requestmetrics_errors_total",
    kind: "counter",
    help: "Error codes in answers, each place of an answer counted; NONE counts the good ones.",
    labels: ["request", "error"],
    read: ({ telemetry }) => telemetry.requests.errors(),
  },
  {
    name: "millrace_kafka_request_latency_seconds",
    kind: "histogram",
    help: "From the begin of a request to its encoded answer: produce waits for the disk, fetch for records, rebalance (JoinGroup, SyncGroup) for members.",
    labels: ["request"],
    read: ({ telemetry }) => telemetry.requests.latencies(),
  },
  {
    name: "kafka_server_brokertopicmetrics_messagesin_total",
    kind: "counter",
    help: "Records appended by producers; an empty topic stands for all together, deleted topics included.",
    labels: ["topic"],
    read: (sources) => traffic(sources, "recordsIn"),
  },
  {
    name: "kafka_server_brokertopicmetrics_bytesin_total",
    kind: "counter",
    help: "Bytes of the batches appended by producers, as they came compressed; an empty topic stands for all.",
    labels: ["topic"],
    read: (sources) => traffic(sources, "bytesIn"),
  },
  {
    name: "kafka_server_brokertopicmetrics_bytesout_total",
    kind: "counter",
    help: "Bytes of batches read by fetches; an empty topic stands for all.",
    labels: ["topic"],
    read: (sources) => traffic(sources, "bytesOut"),
  },
  {
    name: "kafka_server_socket_server_metrics_connection_count",
    kind: "gauge",
    help: "Open connections of clients.",
    labels: ["listener"],
    read: ({ server }) =>
      server
        .connectionsByListener()
        .entries()
        .map(([listener, value]) => ({ labels: [listener], value })),
  },
  {
    name: "kafka_server_socket_server_metrics_connection_creation_total",
    kind: "counter",
    help: "Connections accepted.",
    labels: [],
    read: ({ server }) => single(server.counts.accepted),
  },
  {
    name: "kafka_server_socket_server_metrics_connection_close_total",
    kind: "counter",
    help: "Connections ended, by reason: peer, idle, shutdown, or failed for a request that could not be answered.",
    labels: ["reason"],
    read: ({ server }) =>
      Object.entries(server.counts.ended).map(([reason, value]) => ({ labels: [reason], value })),
  },
  {
    name: "millrace_connections_refused_total",
    kind: "counter",
    help: "Connections turned away at max.connections or max.connections.per.ip.",
    labels: [],
    read: ({ server }) => single(server.counts.refused),
  },
  {
    name: "kafka_server_socket_server_metrics_incoming_byte_total",
    kind: "counter",
    help: "Bytes received from clients.",
    labels: [],
    read: ({ server }) => single(server.counts.receivedBytes),
  },
  {
    name: "kafka_server_socket_server_metrics_outgoing_byte_total",
    kind: "counter",
    help: "Bytes sent to clients.",
    labels: [],
    read: ({ server }) => single(server.counts.sentBytes),
  },
  {
    name: "millrace_requests_in_progress",
    kind: "gauge",
    help: "Requests read and not answered yet.",
    labels: [],
    read: ({ server }) => single(server.requestsHeld.count),
  },
  {
    name: "millrace_request_memory_bytes",
    kind: "gauge",
    help: "Memory that requests hold, unfinished ones included.",
    labels: [],
    read: ({ server }) => single(server.requestsHeld.sizeBytes),
  },
  {
    name: "millrace_produce_gate_state",
    kind: "gauge",
    help: "Whether produce is taken: 0 yes, 1 it waits for memory or the journal, 2 it is refused (full disk, shutdown).",
    labels: [],
    read: ({ gate }) => single(gate.isBlocked ? 2 : gate.isClosed ? 1 : 0),
  },
  {
    name: "millrace_produce_gate_waiting_requests",
    kind: "gauge",
    help: "Produce requests that wait at the gate.",
    labels: [],
    read: ({ gate }) => single(gate.counts.waiting),
  },
  {
    name: "millrace_produce_throttled_total",
    kind: "counter",
    help: "Produce requests that the gate made wait (delayed) or turned away (refused).",
    labels: ["outcome"],
    read: ({ gate }) => [
      { labels: ["delayed"], value: gate.counts.delayed },
      { labels: ["refused"], value: gate.counts.refused },
    ],
  },
];

/** A total, and a value for each topic unless the operator wants less. */
function* traffic({ telemetry, detail }: MetricSources, field: keyof Traffic): Generator<Sample> {
  // Prometheus takes an empty label for none: Kafka's exporter has this series without the label.
  yield { labels: [""], value: telemetry.traffic.total[field] };
  if (detail !== "broker") yield* telemetry.traffic.byTopic(field);
}
