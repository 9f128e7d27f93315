import { expect, test } from "vitest";
import { layersOf, withDynamicConfigs } from "#src/config/broker-config.ts";
import { noDynamicConfigs } from "#src/config/effective-values.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";
import { topicSettings } from "#src/config/topic-settings.ts";

const layers = { ...noDynamicConfigs, static: new Map<string, string>() };

test("a topic without overrides has Kafka's defaults; never and no limit are the largest safe number", () => {
  expect(topicSettings(new Map(), layers)).toEqual({
    cleanupPolicy: { compact: false, delete: true },
    compressionType: "producer",
    deleteRetentionMs: 86_400_000,
    fileDeleteDelayMs: 60_000,
    flushMessages: Number.MAX_SAFE_INTEGER,
    flushMs: Number.MAX_SAFE_INTEGER,
    indexIntervalBytes: 4096,
    maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
    maxMessageBytes: 1_048_588,
    minCleanableDirtyRatio: 0.5,
    minCompactionLagMs: 0,
    minInsyncReplicas: 1,
    retentionBytes: -1,
    retentionMs: 604_800_000,
    segmentBytes: 1_073_741_824,
    segmentIndexBytes: 10_485_760,
    segmentJitterMs: 0,
    segmentMs: 604_800_000,
    timestampAfterMaxMs: 3_600_000,
    timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
    timestampType: "CreateTime",
  });
});

test("the topic's own values win over the broker's", () => {
  const overrides = new Map([
    ["cleanup.policy", "compact,delete"],
    ["retention.ms", "-1"],
    ["message.timestamp.type", "LogAppendTime"],
  ]);
  const settings = topicSettings(overrides, {
    ...layers,
    static: new Map([
      ["log.cleanup.policy", "compact"],
      ["log.retention.hours", "1"],
      ["log.segment.bytes", "2097152"],
    ]),
  });
  expect(settings).toMatchObject({
    cleanupPolicy: { compact: true, delete: true },
    retentionMs: -1,
    timestampType: "LogAppendTime",
    segmentBytes: 2_097_152,
  });
});

test("an empty cleanup policy keeps everything", () => {
  const settings = topicSettings(new Map([["cleanup.policy", ""]]), layers);
  expect(settings.cleanupPolicy).toEqual({ compact: false, delete: false });
});

test("internal.segment.bytes goes below the bound of segment.bytes", () => {
  const overrides = new Map([
    ["internal.segment.bytes", "1000"],
    ["segment.bytes", "2097152"],
  ]);
  expect(topicSettings(overrides, layers).segmentBytes).toBe(1000);
});

test("a stored text that is no longer valid is passed over, not fatal", () => {
  expect(topicSettings(new Map([["retention.ms", "forever"]]), layers).retentionMs).toBe(604_800_000);
});

test("changes at run time reach topics and the broker's config", () => {
  const loaded = loadBrokerConfig({ args: ["--log.retention.ms=7"], environment: {}, readFile: () => "" });
  if (loaded.kind !== "config") throw new Error("Expected a config");
  const dynamic = {
    perBroker: new Map([["max.connections", "5"]]),
    clusterDefault: new Map([
      ["max.connections", "9"],
      ["log.retention.ms", "8"],
    ]),
  };
  const config = withDynamicConfigs(loaded.config, dynamic);
  expect(config.maxConnections).toBe(5);
  expect(config.topicDefaults.retentionMs).toBe(8);
  expect(config.static).toBe(loaded.config.static);
  expect(topicSettings(new Map(), layersOf(config, dynamic)).retentionMs).toBe(8);
});
