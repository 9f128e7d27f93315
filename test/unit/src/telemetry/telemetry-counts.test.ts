import { expect, test } from "vitest";
import { Fetch } from "#protocol/messages/fetch.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { RequestMetrics } from "#src/telemetry/request-metrics.ts";
import { TopicTraffic } from "#src/telemetry/topic-traffic.ts";

test("requests are counted by API and version, errors by Kafka's names", () => {
  const metrics = new RequestMetrics();
  const response = { responses: [{ partitionResponses: [{ errorCode: 3 }, { errorCode: 0 }] }] };
  metrics.answered(Produce, 9, { response, durationMs: 1 });
  metrics.answered(Produce, 9, { response, durationMs: 1 });
  metrics.answered(Produce, 13, { response: undefined, durationMs: 1 });
  metrics.answered(Metadata, 12, { response: {}, durationMs: 1 });
  expect([...metrics.requests()]).toEqual([
    { labels: ["Produce", "9"], value: 2 },
    { labels: ["Produce", "13"], value: 1 },
    { labels: ["Metadata", "12"], value: 1 },
  ]);
  expect([...metrics.errors()]).toContainEqual({
    labels: ["Produce", "UNKNOWN_TOPIC_OR_PARTITION"],
    value: 2,
  });
  expect([...metrics.errors()]).toContainEqual({ labels: ["Produce", "NONE"], value: 2 });
});

test("what waits for others has latencies of its own kind", () => {
  const metrics = new RequestMetrics();
  for (const api of [Produce, Fetch, JoinGroup, Metadata]) {
    metrics.answered(api, 1, { response: {}, durationMs: 2 });
  }
  const counts = metrics.latencies().map(({ labels, histogram }) => [...labels, histogram.count]);
  expect(counts).toEqual([
    ["produce", 1],
    ["fetch", 1],
    ["rebalance", 1],
    ["other", 1],
  ]);
});

test("a deleted topic takes its series along and leaves the totals", () => {
  const traffic = new TopicTraffic();
  traffic.appended("a", { recordCount: 10, sizeBytes: 1_000 });
  traffic.appended("b", { recordCount: 1, sizeBytes: 100 });
  traffic.read("a", { sizeBytes: 500, isFromMemory: true });
  traffic.read("a", { sizeBytes: 50, isFromMemory: false });
  traffic.forget("a");
  expect([...traffic.byTopic("recordsIn")]).toEqual([{ labels: ["b"], value: 1 }]);
  expect(traffic.total).toEqual({
    recordsIn: 11,
    bytesIn: 1_100,
    bytesOut: 550,
    memoryReads: 1,
    diskReads: 1,
  });
});
