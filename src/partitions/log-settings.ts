import { defaultLogConfig, type LogConfig } from "#storage/log/log-config.ts";
import type { TopicSettings } from "../config/topic-settings.ts";

/** What a topic's settings mean for its logs; a compacted topic is not cut by time or size unless it asks for that too. */
export function logConfigOf(settings: TopicSettings): LogConfig {
  const { compact: isCompacted, delete: isDeleted } = settings.cleanupPolicy;
  // Only sealed segments are compacted: none may stay open for longer than records may go without.
  const segmentMs = isCompacted
    ? Math.min(settings.segmentMs, settings.maxCompactionLagMs)
    : settings.segmentMs;
  return {
    ...defaultLogConfig,
    segmentBytes: settings.segmentBytes,
    segmentMs,
    segmentJitterMs: Math.min(settings.segmentJitterMs, segmentMs),
    indexIntervalBytes: settings.indexIntervalBytes,
    segmentIndexBytes: settings.segmentIndexBytes,
    retentionMs: isDeleted ? settings.retentionMs : -1,
    retentionBytes: isDeleted ? settings.retentionBytes : -1,
  };
}
