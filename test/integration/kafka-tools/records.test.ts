import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig, uniqueName, useBroker } from "../test-broker.ts";
import { kafkaToolAlone, kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

describe.skipIf(kafkaToolsMissing)(`Kafka's tools for records${note(kafkaToolsMissing)}`, () => {
  const broker = useBroker({ ...testConfig, "offsets.topic.num.partitions": "1" });
  const run = useKafkaTools();
  const at = () => ["--bootstrap-server", broker.bootstrapServers];

  /** A topic whose partition 0 holds the values, oldest first. */
  async function topicOf(values: readonly string[]): Promise<string> {
    const topic = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", topic]);
    await run("ConsoleProducer", [...at(), "--topic", topic], values.map((value) => `${value}\n`).join(""));
    return topic;
  }

  /** The next offset of a group as ConsumerGroupCommand describes it. */
  async function committed(
    group: string,
  ): Promise<{ current: string; end: string; lag: string } | undefined> {
    const table = await run("ConsumerGroupCommand", [...at(), "--describe", "--group", group]);
    const row = new RegExp(`^${group} +\\S+ +0 +(?<current>\\S+) +(?<end>\\S+) +(?<lag>\\S+)`, "m").exec(
      table,
    );
    return row?.groups && { current: "", end: "", lag: "", ...row.groups };
  }

  test("console producer and consumer pass on keys, headers and values", async () => {
    const topic = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", topic]);
    const parse = ["parse.key=true", "parse.headers=true"].flatMap((each) => ["--reader-property", each]);
    await run(
      "ConsoleProducer",
      [...at(), "--topic", topic, ...parse],
      "h1:v1,h2:v2\tk1\tone\nh3:v3\tk2\ttwo\n",
    );

    const show = ["print.key=true", "print.headers=true", "print.offset=true"].flatMap((each) => [
      "--formatter-property",
      each,
    ]);
    const limit = ["--from-beginning", "--max-messages", "2"];
    const output = await run("ConsoleConsumer", [...at(), "--topic", topic, ...limit, ...show]);
    expect(output.trim().split("\n")).toEqual(["Offset:0\th1:v1,h2:v2\tk1\tone", "Offset:1\th3:v3\tk2\ttwo"]);
  });

  test("the console producer compresses with every codec", async () => {
    const topic = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", topic]);
    const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for (const codec of codecs) {
      await run("ConsoleProducer", [...at(), "--topic", topic, "--compression-codec", codec], `${codec}\n`);
    }
    const limit = ["--from-beginning", "--max-messages", "5"];
    const output = await run("ConsoleConsumer", [...at(), "--topic", topic, ...limit]);
    expect(output.trim().split("\n")).toEqual(codecs);
  });

  test("the console consumer reads one partition from an offset to the end", async () => {
    const topic = await topicOf(["a", "b", "c"]);
    const place = ["--partition", "0", "--offset", "1", "--timeout-ms", "2000"];
    const output = await run("ConsoleConsumer", [...at(), "--topic", topic, ...place]);
    expect(output.trim().split("\n")).toEqual(["b", "c"]);
  });

  test("GetOffsetShell finds the end, the start, the greatest timestamp and a time", async () => {
    const topic = await topicOf(["a", "b", "c"]);
    const offset = async (time: string) =>
      await run("GetOffsetShell", [...at(), "--topic", topic, "--time", time]);
    expect(await offset("-1")).toBe(`${topic}:0:3\n`);
    expect(await offset("-2")).toBe(`${topic}:0:0\n`);
    expect(await offset("max-timestamp")).toMatch(new RegExp(`^${topic}:0:[012]\n$`));
    expect(await offset("1000")).toBe(`${topic}:0:0\n`);
    // Nothing is that new: the tool leaves the partition out.
    expect(await offset("99999999999999")).toBe("");
  });

  test("DeleteRecords moves the start of a log", async () => {
    const topic = await topicOf(["a", "b", "c"]);
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "offsets.json");
    await writeFile(file, JSON.stringify({ partitions: [{ topic, partition: 0, offset: 2 }], version: 1 }));

    const output = await run("DeleteRecordsCommand", [...at(), "--offset-json-file", file]);
    expect(output).toContain(`partition: ${topic}-0\tlow_watermark: 2`);
    expect(await run("GetOffsetShell", [...at(), "--topic", topic, "--time", "-2"])).toBe(`${topic}:0:2\n`);
  });

  test("ConsumerGroupCommand lists, describes, resets and deletes groups and offsets", async () => {
    const topic = await topicOf(["a", "b", "c"]);
    const group = uniqueName("group");
    const read = ["--from-beginning", "--max-messages", "3", "--group", group];
    await run("ConsoleConsumer", [...at(), "--topic", topic, ...read]);

    expect(await run("ConsumerGroupCommand", [...at(), "--list", "--state"])).toMatch(
      new RegExp(`^${group} +Empty`, "m"),
    );
    expect(await committed(group)).toEqual({ current: "3", end: "3", lag: "0" });
    const state = await run("ConsumerGroupCommand", [...at(), "--describe", "--group", group, "--state"]);
    expect(state).toMatch(new RegExp(`^${group} .*Empty +0`, "m"));

    const reset = [...at(), "--group", group, "--topic", topic, "--reset-offsets", "--execute"];
    await run("ConsumerGroupCommand", [...reset, "--to-earliest"]);
    expect(await committed(group)).toEqual({ current: "0", end: "3", lag: "3" });
    await run("ConsumerGroupCommand", [...reset, "--shift-by", "2"]);
    expect(await committed(group)).toEqual({ current: "2", end: "3", lag: "1" });
    await run("ConsumerGroupCommand", [...reset, "--to-datetime", "2000-01-01T00:00:00.000"]);
    expect(await committed(group)).toEqual({ current: "0", end: "3", lag: "3" });

    await run("ConsumerGroupCommand", [...at(), "--delete-offsets", "--group", group, "--topic", topic]);
    expect(await committed(group)).toBeUndefined();
    await run("ConsumerGroupCommand", [...reset, "--to-latest"]);
    await run("ConsumerGroupCommand", [...at(), "--delete", "--group", group]);
    expect(await run("ConsumerGroupCommand", [...at(), "--list"])).not.toContain(group);
  });

  test("what the verifiable producer sends, the verifiable consumer reads", async () => {
    const topic = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", topic, "--partitions", "3"]);
    const count = ["--max-messages", "50"];
    const sent = await kafkaToolAlone("VerifiableProducer", [
      ...at(),
      "--topic",
      topic,
      ...count,
      "--acks",
      "-1",
    ]);
    expect(sent).toContain('"name":"tool_data","sent":50,"acked":50');

    const group = ["--group-id", uniqueName("group"), "--reset-policy", "earliest"];
    const read = await kafkaToolAlone("VerifiableConsumer", [...at(), "--topic", topic, ...group, ...count]);
    const counts = [...read.matchAll(/"name":"records_consumed","count":(\d+)/g)].map(([, each]) =>
      Number(each),
    );
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(50);
    expect(read).toMatch(/"name":"offsets_committed".*"success":true/);
  });

  test("the performance tools come to their ends", async () => {
    const topic = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", topic]);
    const load = ["--num-records", "5000", "--record-size", "100", "--throughput", "-1"];
    const produced = await run("ProducerPerformance", [...at(), "--topic", topic, ...load]);
    expect(produced).toMatch(/^5000 records sent, /m);

    const consumed = await run("ConsumerPerformance", [...at(), "--topic", topic, "--num-records", "5000"]);
    const [, figures = ""] = consumed.trim().split("\n");
    expect(Number(figures.split(", ")[4])).toBeGreaterThanOrEqual(5_000);

    const laps = ["--num-records", "100", "--producer-acks", "all", "--record-size", "64"];
    const latency = await run("EndToEndLatency", [...at(), "--topic", topic, ...laps]);
    expect(latency).toMatch(/^Percentiles: 50th = \d+, 99th = \d+, 99.9th = \d+$/m);
  });
});

function note(missing: string | undefined): string {
  return missing ? `: ${missing}` : "";
}
