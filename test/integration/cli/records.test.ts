import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FakeWorld } from "../../unit/src/cli/fake-world.ts";
import { connectKafkajs, readMessages, text } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { jsonLines, useCli } from "./cli-session.ts";

const cli = useCli({ "num.partitions": "1" });

async function topicOf(partitions = 1): Promise<string> {
  const name = uniqueName("records");
  await cli.ok(["topics", "create", name, "-p", String(partitions)]);
  return name;
}

const all = (topic: string): Promise<string> => cli.ok(["consume", topic, "-e"]);

describe("produce", () => {
  test("writes one record for each line, the last one with or without an end", async () => {
    const topic = await topicOf();
    await cli.ok(["produce", topic], "one\ntwo\n\nfour");
    expect(await all(topic)).toBe("one\ntwo\n\nfour\n");
  });

  test.each(["none", "gzip", "snappy", "lz4", "zstd"])(
    "compresses with %s, and kafkajs or this reader reads it",
    async (codec) => {
      const topic = await topicOf();
      await cli.ok(["produce", topic, "-z", codec, "-K", ":", "-H", "h=1"], "a:first\nb:second\n");
      expect(jsonLines(await cli.ok(["consume", topic, "-e", "--json"]))).toMatchObject([
        { partition: 0, offset: 0, key: "a", value: "first", headers: { h: "1" } },
        { partition: 0, offset: 1, key: "b", value: "second", headers: { h: "1" } },
      ]);
      if (codec !== "none" && codec !== "gzip") return;
      const kafka = connectKafkajs(cli.bootstrapServers);
      expect((await readMessages(kafka, { topic, count: 2 })).map(text)).toEqual(["first", "second"]);
    },
  );

  test("reads a file, with tombstones, and tells what it wrote", async () => {
    const topic = await topicOf();
    const directory = await mkdtemp(join(tmpdir(), "millrace-cli-"));
    try {
      const path = join(directory, "lines.tsv");
      await writeFile(path, "a\t1\na\tNULL\n");
      const report = await cli.json(["produce", topic, path, "-K", "\\t", "--null-value", "NULL"]);
      expect(report).toMatchObject({
        topic,
        recordCount: 2,
        sizeBytes: 3,
        offsets: { 0: { first: 0, last: 1 } },
      });
      expect(jsonLines(await cli.ok(["consume", topic, "-e", "--json"]))[1]).toMatchObject({
        key: "a",
        value: null,
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test.each(["all", "1", "0"])("acks=%s", async (acks) => {
    const topic = await topicOf();
    await cli.ok(["produce", topic, "--acks", acks], "x\n");
    await waitUntil(`record of acks=${acks}`, async () => (await all(topic)) === "x\n");
  });

  test("copies a topic with keys, headers, times and any bytes through JSON", async () => {
    const [from, to] = [await topicOf(3), await topicOf(3)];
    const lines = [
      '{"key":"k","value":"v","headers":{"a":"1"},"timestamp":1700000000000,"partition":2}',
      '{"key":null,"value":{"base64":"/wD+"},"timestamp":1700000000001,"partition":1}',
    ];
    await cli.ok(["produce", from, "--format", "json"], lines.join("\n"));
    await cli.ok(["produce", to, "--format", "json"], await cli.ok(["consume", from, "-e", "--json"]));
    const copied = jsonLines(await cli.ok(["consume", to, "-e", "--json"]));
    expect(copied).toHaveLength(2);
    expect(copied).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          key: "k",
          value: "v",
          headers: { a: "1" },
          timestamp: 1_700_000_000_000,
          partition: 2,
        }),
        expect.objectContaining({ key: null, value: { base64: "/wD+" }, partition: 1 }),
      ]),
    );
  });

  test("many records with keys over many partitions all arrive, each key in order", async () => {
    const topic = await topicOf(7);
    const lines = Array.from({ length: 20_000 }, (_, index) => `key-${index % 100}:${index}`);
    await cli.ok(["produce", topic, "-K", ":", "--batch-bytes", "4096"], lines.join("\n"));
    const records = jsonLines(await cli.ok(["consume", topic, "-e", "--json"]));
    expect(records).toHaveLength(lines.length);
    const ofKey = Map.groupBy(records, ({ key }) => key);
    expect(ofKey.size).toBe(100);
    for (const [, some] of ofKey) {
      expect(new Set(some.map(({ partition }) => partition)).size).toBe(1);
      const values = some.map(({ value }) => Number(value));
      expect(values).toEqual(values.toSorted((left, right) => left - right));
    }
  });

  test("a topic that is not there comes into being, and that is said", async () => {
    const topic = uniqueName("fresh");
    const { exitCode, talk } = await cli.run(["produce", topic], { input: "x\n" });
    expect(exitCode).toBe(0);
    expect(talk).toContain(`Created topic "${topic}" with 1 partition\n`);
    expect(await all(topic)).toBe("x\n");
  });

  test("a line without its key's separator is named, and what was written before is told", async () => {
    const topic = await topicOf();
    const { exitCode, talk } = await cli.run(["produce", topic, "-K", ":"], { input: "a:1\nwrong\n" });
    expect(exitCode).toBe(1);
    expect(talk).toContain("Cannot read line 2: it has no key separator");
    expect((await cli.run(["produce", topic, "--format", "json"], { input: "{}\nx\n" })).talk).toContain(
      "Cannot read line 2 as JSON",
    );
  });

  test("a partition, a file, a record that cannot be: each has its own message", async () => {
    const topic = await topicOf();
    expect((await cli.run(["produce", topic, "-p", "7"])).talk).toContain("the topic has partitions 0 to 0");
    expect((await cli.run(["produce", topic, "/nonesuch"])).talk).toContain('Cannot read "/nonesuch"');
    await cli.ok(["topics", "configs", "set", topic, "max.message.bytes=1000"]);
    const { exitCode, talk } = await cli.run(["produce", topic], { input: `${"x".repeat(5_000)}\n` });
    expect(exitCode).toBe(1);
    expect(talk).toContain("MESSAGE_TOO_LARGE");
    expect(talk).toContain("max.message.bytes");
  });
});

describe("consume", () => {
  test("begins where it is told", async () => {
    const topic = await topicOf();
    const time = (second: number) => `"timestamp":${1_700_000_000_000 + second * 1000}`;
    await cli.ok(
      ["produce", topic, "--format", "json"],
      [0, 1, 2, 3, 4].map((index) => `{"value":"${index}",${time(index)}}`).join("\n"),
    );
    const from = (place: string) => cli.ok(["consume", topic, "-e", `--from=${place}`, "-f", "%s"]);
    expect(await from("beginning")).toBe("01234");
    expect(await from("3")).toBe("34");
    expect(await from("-2")).toBe("34");
    expect(await from("-99")).toBe("01234");
    expect(await from("99")).toBe("");
    expect(await from("end")).toBe("");
    expect(await from("@1700000001500")).toBe("234");
    expect(await from("2023-11-14T22:13:24Z")).toBe("4");
    expect(await from("2099-01-01")).toBe("");
  });

  test("ends after --count, in the midst of a batch", async () => {
    const topic = await topicOf();
    await cli.ok(["produce", topic], "a\nb\nc\nd\n");
    expect(await cli.ok(["consume", topic, "--from-beginning", "-n", "2"])).toBe("a\nb\n");
  });

  test("reads chosen partitions", async () => {
    const topic = await topicOf(3);
    await cli.ok(
      ["produce", topic, "--format", "json"],
      '{"value":"0","partition":0}\n{"value":"2","partition":2}\n',
    );
    expect(await cli.ok(["consume", topic, "-e", "-p", "2", "-f", "%p:%s\\n"])).toBe("2:2\n");
    expect((await cli.run(["consume", topic, "-e", "-p", "3"])).talk).toContain("partitions 0 to 2");
  });

  test("prints keys before values", async () => {
    const topic = await topicOf();
    await cli.ok(["produce", topic, "-K", ":"], "k:v\n");
    expect(await cli.ok(["consume", topic, "-e", "-K", " => "])).toBe("k => v\n");
  });

  test("reads on as records come, until it is interrupted", async () => {
    const topic = await topicOf();
    const world = new FakeWorld();
    const ended = cli.run(["consume", topic], { world });
    // Reading begins at the end, whenever that is: write until something is seen.
    await waitUntil("a record read", async () => {
      await cli.ok(["produce", topic], "x\n");
      return world.terminal.output !== "";
    });
    world.interrupter.abort();
    expect((await ended).exitCode).toBe(0);
  });

  test("--committed shows what no transaction wrote", async () => {
    const topic = await topicOf();
    await cli.ok(["produce", topic], "plain\n");
    expect(await cli.ok(["consume", topic, "-e", "--committed"])).toBe("plain\n");
  });

  test("an unknown topic is a failure, and is not created", async () => {
    const topic = uniqueName("nonesuch");
    expect((await cli.run(["consume", topic, "-e"])).exitCode).toBe(1);
    expect(await cli.ok(["topics", "list"])).not.toContain(topic);
  });
});
