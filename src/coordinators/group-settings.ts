import type { BrokerConfig } from "../config/broker-config.ts";
import { defaultGroupConfig, type GroupConfig } from "./groups/group-config.ts";

/** The coordinator's settings as the broker's configs give them. */
export function groupConfigOf({ groups, offsets }: BrokerConfig): GroupConfig {
  return {
    ...defaultGroupConfig,
    sessionTimeoutMsMin: groups.minSessionTimeoutMs,
    sessionTimeoutMsMax: groups.maxSessionTimeoutMs,
    initialRebalanceDelayMs: groups.initialRebalanceDelayMs,
    memberCountMax: groups.maxSize,
    offsetMetadataBytesMax: offsets.metadataMaxBytes,
    offsetsRetentionMs: offsets.retentionMs,
    commitTimeoutMs: offsets.commitTimeoutMs,
  };
}
