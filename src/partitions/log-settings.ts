import { defaultLogConfig, type LogConfig } from "#storage/log/log-config.ts";
import type { TopicSettings } from "../config/topic-settings.ts";

/** What a topic's settings mean for its logs; a compacted topic is not cut by time or size unless it asks for that too. */
export function logConfigOf(settings: TopicSettings): LogConfig {
  const isDeleted = settings.cleanupPolicy.delete;
  return {
    ...defaultLogConfig,
    segmentBytes: settings.segmentBytes,
    segmentMs: settings.segmentMs,
    segmentJitterMs: Math.min(settings.segmentJitterMs, settings.segmentMs),
    indexIntervalBytes: settings.indexIntervalBytes,
    segmentIndexBytes: settings.segmentIndexBytes,
    retentionMs: isDeleted ? settings.retentionMs : -1,
    retentionBytes: isDeleted ? settings.retentionBytes : -1,
  };
}
