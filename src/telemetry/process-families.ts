import type { ProcessUsage } from "../runtime/process-meter.ts";
import { type MetricFamily, type Sample, single } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";

/** The process, under the names that exporters of Node programs share. */
export const processFamilies: readonly MetricFamily<MetricSources>[] = [
  gauge("process_resident_memory_bytes", "Memory that the process holds.", (usage) => usage.residentBytes),
  gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use.", (usage) => usage.heapUsedBytes),
  gauge("nodejs_heap_size_total_bytes", "JavaScript heap reserved.", (usage) => usage.heapTotalBytes),
  gauge("nodejs_external_memory_bytes", "Memory outside the heap.", (usage) => usage.externalBytes),
  counter("process_cpu_user_seconds_total", "CPU time in the program.", (usage) => usage.cpuUserSeconds),
  counter("process_cpu_system_seconds_total", "CPU time in the system.", (usage) => usage.cpuSystemSeconds),
  counter(
    "process_cpu_seconds_total",
    "CPU time of the process.",
    (usage) => usage.cpuUserSeconds + usage.cpuSystemSeconds,
  ),
  counter(
    "millrace_event_loop_busy_seconds_total",
    "Time that the event loop did not wait: its rate is the utilisation of the broker's core.",
    (usage) => usage.loopBusySeconds,
  ),
  gauge(
    "nodejs_eventloop_lag_mean_seconds",
    "Mean delay of the event loop since the last scrape.",
    ({ loopDelay }) => loopDelay.meanSeconds,
  ),
  gauge(
    "nodejs_eventloop_lag_p50_seconds",
    "Median delay of the event loop since the last scrape.",
    ({ loopDelay }) => loopDelay.p50Seconds,
  ),
  gauge(
    "nodejs_eventloop_lag_p99_seconds",
    "99th percentile of the delay of the event loop since the last scrape.",
    ({ loopDelay }) => loopDelay.p99Seconds,
  ),
  gauge(
    "nodejs_eventloop_lag_max_seconds",
    "Longest delay of the event loop since the last scrape.",
    ({ loopDelay }) => loopDelay.maxSeconds,
  ),
  {
    name: "nodejs_gc_runs_total",
    kind: "counter",
    help: "Garbage collections, by kind.",
    labels: ["kind"],
    read: ({ process }) => collections(process, "count"),
  },
  {
    name: "nodejs_gc_seconds_total",
    kind: "counter",
    help: "Time in garbage collections, by kind.",
    labels: ["kind"],
    read: ({ process }) => collections(process, "seconds"),
  },
];

type Reading = (usage: ProcessUsage) => number;

function gauge(name: string, help: string, reading: Reading): MetricFamily<MetricSources> {
  return {
    name,
    kind: "gauge",
    help,
    labels: [],
    read: ({ process }) => single(process && reading(process)),
  };
}

function counter(name: string, help: string, reading: Reading): MetricFamily<MetricSources> {
  return {
    name,
    kind: "counter",
    help,
    labels: [],
    read: ({ process }) => single(process && reading(process)),
  };
}

function collections(usage: ProcessUsage | undefined, field: "count" | "seconds"): Iterable<Sample> {
  const kinds = usage?.collections ?? new Map<string, { count: number; seconds: number }>();
  return kinds.entries().map(([kind, counted]) => ({ labels: [kind], value: counted[field] }));
}
