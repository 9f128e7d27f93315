import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig } from "../test-broker.ts";
import { kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

const title = `Kafka's DumpLogSegments${kafkaToolsMissing ? `: ${kafkaToolsMissing}` : ""}`;

describe.skipIf(kafkaToolsMissing)(title, () => {
  const run = useKafkaTools();

  test("reads our segments and finds their indexes right", async () => {
    await using directory = await temporaryDirectory();
    const partition = join(directory.path, "dumped-0");
    await fill(directory.path);

    const files = (await readdir(partition)).sort();
    const named = (suffix: string) => files.filter((file) => file.endsWith(suffix));
    // Several segments, each with both indexes; the last ones of a clean stop included.
    expect(named(".log").length).toBeGreaterThan(1);
    expect(named(".index")).toHaveLength(named(".log").length);
    expect(named(".timeindex")).toHaveLength(named(".log").length);

    const paths = [...named(".log"), ...named(".index"), ...named(".timeindex")].map((file) =>
      join(partition, file),
    );
    const output = await run("DumpLogSegments", ["--files", paths.join(","), "--print-data-log"]);
    const offsets = [...output.matchAll(/^\| offset: (\d+) .*payload: value (\d+) /gm)];
    expect(offsets).toHaveLength(records);
    expect(
      offsets.every(([, offset, value], index) => Number(offset) === index && Number(value) === index),
    ).toBe(true);
    // Compared as booleans: the output is too long to be shown.
    expect(output.includes("compresscodec: gzip")).toBe(true);
    expect(output.includes("headerKeys: [source] key: key 0 payload")).toBe(true);
    // The tool names what does not fit by these words.
    expect(
      output.match(/isvalid: false|mismatch|Mismatches|Found timestamp|out of order|not contiguous/i),
    ).toBeNull();
    expect(output.match(/^offset: \d+ position: \d+$/gm)?.length).toBeGreaterThan(0);
    expect(output.match(/^timestamp: \d+ offset: \d+$/gm)?.length).toBeGreaterThan(0);
  });

  test("reads the offsets of groups", async () => {
    await using directory = await temporaryDirectory();
    await fill(directory.path);

    const file = join(directory.path, "__consumer_offsets-0", "00000000000000000000.log");
    const output = await run("DumpLogSegments", ["--files", file, "--offsets-decoder"]);
    expect(output).toContain('"group":"readers","topic":"dumped","partition":0');
    expect(output).toMatch(/"offset":7,/);
  });
});

const records = 600;

/** Writes records and an offset through a broker with small segments, and stops it in order. */
async function fill(logDirectory: string): Promise<void> {
  await using broker = await BrokerProcess.start({
    logDirectory,
    config: { ...testConfig, "offsets.topic.num.partitions": "1", "log.index.interval.bytes": "512" },
  });
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: "segment.bytes", value: String(1 << 20) }];
  await admin.createTopics({ topics: [{ topic: "dumped", numPartitions: 1, configEntries }] });
  const producer = kafka.producer();
  await producer.connect();
  for (let from = 0; from < records; from += 20) {
    const messages = Array.from({ length: 20 }, (_, index) => ({
      key: `key ${from + index}`,
      value: `value ${from + index} ${"x".repeat(4_000)}`,
      headers: { source: "test" },
    }));
    // Every third batch compressed, by kafkajs's own number of the codec.
    await producer.send({ topic: "dumped", messages, compression: (from / 20) % 3 === 0 ? 1 : 0 });
  }
  await admin.setOffsets({
    groupId: "readers",
    topic: "dumped",
    partitions: [{ partition: 0, offset: "7" }],
  });
  await producer.disconnect();
  await admin.disconnect();
}
