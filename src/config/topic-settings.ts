import { type BrokerLayers, type ConfigTexts, topicValue } from "./effective-values.ts";
import { valueReader } from "./value-reader.ts";

/** A topic's configs in force, typed; durations that mean "never" are `Number.MAX_SAFE_INTEGER` (or -1 for retention). */
export interface TopicSettings {
  readonly cleanupPolicy: { readonly compact: boolean; readonly delete: boolean };
  readonly compressionType: string;
  readonly deleteRetentionMs: number;
  readonly fileDeleteDelayMs: number;
  readonly flushMessages: number;
  readonly flushMs: number;
  readonly indexIntervalBytes: number;
  readonly maxCompactionLagMs: number;
  readonly maxMessageBytes: number;
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly minInsyncReplicas: number;
  /** -1 for no limit. */
  readonly retentionBytes: number;
  /** -1 for no limit. */
  readonly retentionMs: number;
  readonly segmentBytes: number;
  readonly segmentIndexBytes: number;
  readonly segmentJitterMs: number;
  readonly segmentMs: number;
  readonly timestampAfterMaxMs: number;
  readonly timestampBeforeMaxMs: number;
  readonly timestampType: "CreateTime" | "LogAppendTime";
}

/** Resolves a topic's overrides over the broker's layers; `overrides` holds only what was set on the topic. */
export function topicSettings(overrides: ConfigTexts, layers: BrokerLayers): TopicSettings {
  const read = valueReader((name) => topicValue(name, overrides, layers));
  const policies = read.list("cleanup.policy");
  return Object.freeze({
    cleanupPolicy: { compact: policies.includes("compact"), delete: policies.includes("delete") },
    compressionType: read.text("compression.type"),
    deleteRetentionMs: read.number("delete.retention.ms"),
    fileDeleteDelayMs: read.number("file.delete.delay.ms"),
    flushMessages: read.number("flush.messages"),
    flushMs: read.number("flush.ms"),
    indexIntervalBytes: read.number("index.interval.bytes"),
    maxCompactionLagMs: read.number("max.compaction.lag.ms"),
    maxMessageBytes: read.number("max.message.bytes"),
    minCleanableDirtyRatio: read.number("min.cleanable.dirty.ratio"),
    minCompactionLagMs: read.number("min.compaction.lag.ms"),
    minInsyncReplicas: read.number("min.insync.replicas"),
    retentionBytes: read.number("retention.bytes"),
    retentionMs: read.number("retention.ms"),
    segmentBytes: read.numberOrNull("internal.segment.bytes") ?? read.number("segment.bytes"),
    segmentIndexBytes: read.number("segment.index.bytes"),
    segmentJitterMs: read.number("segment.jitter.ms"),
    segmentMs: read.number("segment.ms"),
    timestampAfterMaxMs: read.number("message.timestamp.after.max.ms"),
    timestampBeforeMaxMs: read.number("message.timestamp.before.max.ms"),
    timestampType: read.text("message.timestamp.type") === "LogAppendTime" ? "LogAppendTime" : "CreateTime",
  });
}
