import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, expect, test } from "vitest";
import { BrokerProcess } from "../integration/broker-process.ts";
import { freePort } from "../integration/free-port.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";
import { testConfig, uniqueName, useBroker } from "../integration/test-broker.ts";
import { ApiUse } from "./api-use.ts";
import { type Feature, features } from "./features.ts";
import { kcat, kcatMissing, kcatRecords, kcatVersion, runKcat } from "./kcat-process.ts";
import { keepResults, type Outcome } from "./results.ts";

// kcat is a command and no library: it has tests of its own instead of a driver, whose titles decide its cells.
const ktest = test.skipIf(kcatMissing);
if (kcatMissing) console.warn(`Skipping the tests of kcat: ${kcatMissing}`);

/** The tests that show each feature; kcat has no admin. */
const titles: Readonly<Partial<Record<Feature, RegExp>>> = {
  produce: /keys, headers|-Z|acks=|large/,
  gzip: /gzip/,
  snappy: /snappy/,
  lz4: /lz4/,
  zstd: /zstd/,
  "manual assignment": /^-o/,
  "seek by time": /^-Q|^-o/,
  group: /^-G/,
  idempotence: /idempotent/,
  restart: /kill -9/,
};

const results = new Map<string, boolean>();
const apiUse = new ApiUse();
const broker = useBroker({ "millrace.http.listener": "127.0.0.1:0" });

afterEach(({ task }) => {
  if (task.result?.state !== "skip") results.set(task.name, task.result?.state !== "fail");
});
afterAll(async () => {
  const outcomes = features.flatMap((feature) => {
    const outcome = outcomeOf(feature);
    return outcome ? [[feature, outcome] as const] : [];
  });
  // Where tests were left out by a filter there is nothing to tell.
  if (kcatMissing || outcomes.length < features.length) return;
  await apiUse.addLife(broker.process);
  const apis = apiUse.versions();
  const known = { name: "kcat", language: "C", version: kcatVersion() };
  await keepResults({ ...known, outcomes: Object.fromEntries(outcomes), apis });
});

function outcomeOf(feature: Feature): Outcome | undefined {
  const title = titles[feature];
  if (!title) return "lacks";
  const shown = [...results].filter(([name]) => title.test(name));
  if (shown.length === 0) return undefined;
  return shown.every(([, hasPassed]) => hasPassed) ? "works" : "fails";
}

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

ktest("producing goes on over a kill -9, every record stored once and in order", async () => {
  await using directory = await temporaryDirectory();
  const options = { logDirectory: directory.path, port: await freePort(), config: testConfig };
  await using restarted = await BrokerProcess.start(options);
  const topic = uniqueName("kcat");
  const arguments_ = ["-b", restarted.bootstrapServers, "-P", "-t", topic, "-X", "enable.idempotence=true"];
  // -E: go on though no broker can be reached.
  const producer = spawn("kcat", [...arguments_, "-E", "-X", "linger.ms=5"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<number | null>((resolve) => producer.once("close", resolve));
  const write = async (from: number) => {
    for (let number = from; number < from + 200; number++) {
      producer.stdin.write(`${number}\n`);
      await sleep(2);
    }
  };
  await write(0);
  await restarted.kill();
  await write(200);
  await restarted.start();
  await write(400);
  producer.stdin.end();
  // It ends when all is acknowledged.
  expect(await ended).toBe(0);
  const records = await kcatRecords(restarted.bootstrapServers, topic);
  expect(records.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: 600 }, (_, at) => at));
});
