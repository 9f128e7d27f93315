import type { Partition } from "../partitions/partition.ts";
import { type MetricFamily, type Sample, single } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";

/** Journal, memory, disk and the logs of partitions. */
export const storageFamilies: readonly MetricFamily<MetricSources>[] = [
  {
    name: "millrace_journal_writes_total",
    kind: "counter",
    help: "Durable writes to the journal.",
    labels: [],
    read: ({ journal }) => single(journal.written.frames),
  },
  {
    name: "millrace_journal_written_bytes_total",
    kind: "counter",
    help: "Bytes written to the journal, padding to whole blocks included.",
    labels: [],
    read: ({ journal }) => single(journal.written.sizeBytes),
  },
  {
    name: "millrace_journal_flush_latency_seconds",
    kind: "histogram",
    help: "How long it takes the journal to make what all partitions proposed durable.",
    labels: [],
    read: ({ telemetry }) => [{ labels: [], histogram: telemetry.journalFlushes }],
  },
  {
    name: "millrace_journal_used_bytes",
    kind: "gauge",
    help: "Size of the journal from the oldest file still needed to its end.",
    labels: [],
    read: ({ journal }) => single(journal.usedBytes),
  },
  {
    name: "millrace_journal_staged_bytes",
    kind: "gauge",
    help: "Bytes that wait for the journal's next write or are being written.",
    labels: [],
    read: ({ journal }) => single(journal.stagedBytes),
  },
  {
    name: "millrace_journal_under_pressure",
    kind: "gauge",
    help: "1 while the journal is short of room and holds produce back.",
    labels: [],
    read: ({ journal }) => single(journal.isUnderPressure ? 1 : 0),
  },
  {
    name: "millrace_proposed_bytes",
    kind: "gauge",
    help: "Bytes of batches proposed and not durable yet.",
    labels: [],
    read: ({ proposedBytes }) => single(proposedBytes),
  },
  {
    name: "millrace_segment_flush_latency_seconds",
    kind: "histogram",
    help: "How long it takes to bring a partition's batches from memory into its segments.",
    labels: [],
    read: ({ telemetry }) => [{ labels: [], histogram: telemetry.segmentFlushes }],
  },
  {
    name: "millrace_segment_flushed_bytes_total",
    kind: "counter",
    help: "Bytes brought from memory into segments.",
    labels: [],
    read: ({ telemetry }) => single(telemetry.segmentFlushedBytes),
  },
  {
    name: "millrace_dirty_bytes",
    kind: "gauge",
    help: "Committed bytes that wait in memory for their segments.",
    labels: [],
    read: ({ dirty }) => single(dirty.bytes),
  },
  {
    name: "millrace_dirty_limit_bytes",
    kind: "gauge",
    help: "Dirty bytes at which produce waits: millrace.dirty.bytes.max.",
    labels: [],
    read: ({ dirty }) => single(dirty.bytesMax),
  },
  {
    name: "millrace_cache_bytes",
    kind: "gauge",
    help: "Memory that the batch cache keeps.",
    labels: [],
    read: ({ cache }) => single(cache.sizeBytes),
  },
  {
    name: "millrace_cache_limit_bytes",
    kind: "gauge",
    help: "The most that the batch cache keeps: millrace.cache.bytes.",
    labels: [],
    read: ({ cache }) => single(cache.bytesMax),
  },
  {
    name: "millrace_cache_hits_total",
    kind: "counter",
    help: "Reads of a partition by fetches that memory answered.",
    labels: [],
    read: ({ telemetry }) => single(telemetry.traffic.total.memoryReads),
  },
  {
    name: "millrace_cache_misses_total",
    kind: "counter",
    help: "Reads of a partition by fetches that went to the segments on disk.",
    labels: [],
    read: ({ telemetry }) => single(telemetry.traffic.total.diskReads),
  },
  {
    name: "millrace_storage_disk_free_bytes",
    kind: "gauge",
    help: "Bytes that can still be written where log.dirs lies.",
    labels: [],
    read: ({ freeDiskBytes }) => single(freeDiskBytes),
  },
  {
    name: "kafka_log_log_size",
    kind: "gauge",
    help: "Bytes of a partition's log, or of all logs of a topic (with an empty partition), or of all (with an empty topic too), as millrace.metrics.detail says.",
    labels: ["topic", "partition"],
    read: logSizes,
  },
  {
    name: "kafka_log_log_logstartoffset",
    kind: "gauge",
    help: "The first offset of a partition's log.",
    labels: ["topic", "partition"],
    read: (sources) => ofPartitions(sources, ({ logStartOffset }) => logStartOffset),
  },
  {
    name: "kafka_log_log_logendoffset",
    kind: "gauge",
    help: "The offset that a partition's next record gets.",
    labels: ["topic", "partition"],
    read: (sources) => ofPartitions(sources, ({ highWatermark }) => highWatermark),
  },
  {
    name: "kafka_log_log_numlogsegments",
    kind: "gauge",
    help: "Segments of a partition's log.",
    labels: ["topic", "partition"],
    read: (sources) => ofPartitions(sources, ({ log }) => log.segments().length),
  },
];

function* ofPartitions(
  { partitions, detail }: MetricSources,
  measure: (partition: Partition) => number,
): Generator<Sample> {
  if (detail !== "partition") return;
  for (const partition of partitions.all()) {
    yield { labels: [partition.topic, String(partition.index)], value: measure(partition) };
  }
}

function logSizes(sources: MetricSources): Iterable<Sample> {
  if (sources.detail === "partition") return ofPartitions(sources, ({ log }) => log.sizeBytes);
  const sizes = new Map<string, number>();
  for (const { topic, log } of sources.partitions.all()) {
    const key = sources.detail === "topic" ? topic : "";
    sizes.set(key, (sizes.get(key) ?? 0) + log.sizeBytes);
  }
  return sizes.entries().map(([topic, value]) => ({ labels: [topic, ""], value }));
}
