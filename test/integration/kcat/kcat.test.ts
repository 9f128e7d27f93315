import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { kcat, kcatMissing, kcatRecords, runKcat } from "./kcat-process.ts";

// kcat is librdkafka 2: it speaks newer versions than kafkajs, and chooses them by its own table of features.
const ktest = test.skipIf(kcatMissing);
if (kcatMissing) console.warn(`Skipping the tests of kcat: ${kcatMissing}`);

const broker = useBroker();

ktest.each(["none", "gzip", "snappy", "lz4", "zstd"])(
  "-z %s: what was produced comes back",
  async (codec) => {
    const topic = uniqueName("kcat");
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${"x".repeat(index % 200)}`);
    await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-z", codec], `${lines.join("\n")}\n`);
    const records = await kcatRecords(broker.bootstrapServers, topic);
    expect(records.map(({ payload }) => payload)).toEqual(lines);
    expect(records.map(({ offset }) => offset)).toEqual(lines.map((_, offset) => offset));
  },
);

ktest.each(["gzip", "snappy", "lz4", "zstd"])("-z %s: a batch stays compressed as it came", async (codec) => {
  const topic = uniqueName("kcat");
  const produced = `${"the same again ".repeat(20)}\n`.repeat(500);
  await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-z", codec, "-X", "linger.ms=200"], produced);
  const consume = ["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-d", "msg"];
  const { stderr } = await runKcat(broker.bootstrapServers, consume);
  // librdkafka tells the codec of each batch that it takes in.
  expect(stderr).toMatch(new RegExp(`Enqueue 500 message.*, ${codec}\\)`));
});

ktest("keys, headers and timestamps come back", async () => {
  const topic = uniqueName("kcat");
  const headers = ["-H", "first=1", "-H", "second=two words", "-H", "first=again"];
  await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-K", ":", ...headers], "key:value\n");
  const [record] = await kcatRecords(broker.bootstrapServers, topic);
  expect(record).toMatchObject({ key: "key", payload: "value", partition: 0, offset: 0, tstype: "create" });
  expect(record?.headers).toEqual(["first", "1", "second", "two words", "first", "again"]);
  expect(Math.abs((record?.ts ?? 0) - Date.now())).toBeLessThan(600_000);
});

ktest("-Z: null keys and values come back as null, empty ones as empty", async () => {
  const topic = uniqueName("kcat");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-K", ":", "-Z"], "gone:\nkept:x\n");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-K", ":"], "empty:\n");
  const records = await kcatRecords(broker.bootstrapServers, topic);
  expect(records.map(({ key, payload }) => [key, payload])).toEqual([
    ["gone", null],
    ["kept", "x"],
    ["empty", ""],
  ]);
});

ktest("acks=0, 1 and all are taken", async () => {
  const topic = uniqueName("kcat");
  for (const acks of ["0", "1", "-1"]) {
    await kcat(broker.bootstrapServers, ["-P", "-t", topic, "-X", `acks=${acks}`], `acks ${acks}\n`);
  }
  const records = await kcatRecords(broker.bootstrapServers, topic, ["-c", "3"]);
  expect(records.map(({ payload }) => payload)).toEqual(["acks 0", "acks 1", "acks -1"]);
});

ktest("an idempotent producer's records are stored once, in order", async () => {
  const topic = uniqueName("kcat");
  const lines = Array.from({ length: 5_000 }, (_, index) => String(index));
  const idempotent = ["-X", "enable.idempotence=true", "-X", "batch.num.messages=100"];
  await kcat(broker.bootstrapServers, ["-P", "-t", topic, ...idempotent], `${lines.join("\n")}\n`);
  const records = await kcatRecords(broker.bootstrapServers, topic);
  expect(records.map(({ payload }) => payload)).toEqual(lines);
});

ktest("a large message passes, a too large one is refused", async () => {
  const topic = uniqueName("kcat");
  const large = "y".repeat(900_000);
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], `${large}\n`);
  const [record] = await kcatRecords(broker.bootstrapServers, topic);
  expect(record?.payload === large).toBe(true);
  const limits = ["-X", "message.max.bytes=3000000"];
  const refused = await runKcat(
    broker.bootstrapServers,
    ["-P", "-t", topic, ...limits],
    `${"y".repeat(2_000_000)}\n`,
  );
  expect(refused.stderr).toContain("Message size too large");
});

ktest("-G: a group consumes, commits, and goes on where it stopped", async () => {
  const topic = uniqueName("kcat");
  const group = uniqueName("kcat-group");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "1\n2\n3\n");
  const consume = (count: number) =>
    kcat(broker.bootstrapServers, [
      "-G",
      group,
      "-c",
      String(count),
      "-q",
      "-X",
      "auto.offset.reset=earliest",
      topic,
    ]);
  expect(await consume(2)).toBe("1\n2\n");
  expect(await consume(1)).toBe("3\n");
});

ktest("-G: the cooperative-sticky assignor works", async () => {
  const topic = uniqueName("kcat");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "1\n2\n");
  const sticky = [
    "-X",
    "partition.assignment.strategy=cooperative-sticky",
    "-X",
    "auto.offset.reset=earliest",
  ];
  const group = uniqueName("kcat-group");
  expect(await kcat(broker.bootstrapServers, ["-G", group, "-c", "2", "-q", ...sticky, topic])).toBe(
    "1\n2\n",
  );
});

ktest("-G: a static member comes back under its own name", async () => {
  const topic = uniqueName("kcat");
  const group = uniqueName("kcat-group");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "1\n2\n");
  const member = ["-X", "group.instance.id=the-one", "-X", "auto.offset.reset=earliest"];
  const consume = () => kcat(broker.bootstrapServers, ["-G", group, "-c", "1", "-q", ...member, topic]);
  expect(await consume()).toBe("1\n");
  expect(await consume()).toBe("2\n");
});

ktest("-L -J: the cluster and a topic are listed", async () => {
  const topic = uniqueName("kcat");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "x\n");
  const listing = JSON.parse(await kcat(broker.bootstrapServers, ["-L", "-J", "-t", topic])) as {
    controllerid: number;
    brokers: { id: number; name: string }[];
    topics: {
      topic: string;
      partitions: { partition: number; leader: number; replicas: { id: number }[] }[];
    }[];
  };
  const id = listing.controllerid;
  expect(listing.brokers).toEqual([{ id, name: broker.bootstrapServers }]);
  expect(listing.topics).toMatchObject([
    { topic, partitions: [{ partition: 0, leader: id, replicas: [{ id }], isrs: [{ id }] }] },
  ]);
  const everything = await kcat(broker.bootstrapServers, ["-L", "-J"]);
  expect(everything).toContain(`"${topic}"`);
});

ktest("-Q: offsets by time, the earliest and the latest", async () => {
  const topic = uniqueName("kcat");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "1\n2\n3\n");
  const [first] = await kcatRecords(broker.bootstrapServers, topic);
  const query = async (time: number | string) =>
    (await kcat(broker.bootstrapServers, ["-Q", "-t", `${topic}:0:${time}`])).trim();
  expect(await query(first?.ts ?? 0)).toBe(`${topic} [0] offset 0`);
  expect(await query(1)).toBe(`${topic} [0] offset 0`);
  expect(await query(Date.now() + 3_600_000)).toMatch(/offset -1$/);
});

ktest("-o: consuming starts at an offset, before the end, or at a time", async () => {
  const topic = uniqueName("kcat");
  await kcat(broker.bootstrapServers, ["-P", "-t", topic], "0\n1\n2\n3\n4\n");
  const from = (offset: string) =>
    kcat(broker.bootstrapServers, ["-C", "-t", topic, "-o", offset, "-e", "-q"]);
  expect(await from("3")).toBe("3\n4\n");
  expect(await from("-1")).toBe("4\n");
  const [first] = await kcatRecords(broker.bootstrapServers, topic);
  expect(await from(`s@${first?.ts}`)).toBe("0\n1\n2\n3\n4\n");
});

ktest("an unknown topic is reported when the client may not create it", async () => {
  const topic = uniqueName("kcat");
  const run = await runKcat(broker.bootstrapServers, [
    "-C",
    "-t",
    topic,
    "-e",
    "-X",
    "allow.auto.create.topics=false",
  ]);
  expect(run.stderr).toContain("Unknown topic or partition");
});
