import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BrokerProcess } from "../integration/broker-process.ts";
import { freePort } from "../integration/free-port.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../integration/temporary-directory.ts";
import { testConfig, uniqueName } from "../integration/test-broker.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { ApiUse } from "./api-use.ts";
import { ClientDriver, type ClientProgram, type DrivenRecord } from "./client-driver.ts";
import { type Feature, features } from "./features.ts";
import { keepResults, type Outcome } from "./results.ts";
import { storedCompressions, storedFetchVersion, storedValues } from "./stored-records.ts";

/** A client that is ready to be driven, or why it is not. */
export type PreparedClient =
  | { readonly kind: "ready"; readonly program: ClientProgram }
  | { readonly kind: "missing"; readonly reason: string };

export interface ClientSuiteOptions {
  /** As the table shows it. */
  readonly name: string;
  readonly language: string;
  readonly client: PreparedClient;
  /** What the client itself cannot do. */
  readonly lacks?: readonly Feature[];
}

/** Retention must not look at the times that the tests make up. */
const keepAll = { "retention.ms": "-1" } as const;
const timestampMs = 1_700_000_000_000;
const rebalanceMsMax = 30_000;

/** Takes one client through all that Millrace promises to it, against a broker process of its own. */
export function describeClient({ name, language, client, lacks = [] }: ClientSuiteOptions): void {
  if (client.kind === "missing") {
    console.warn(`Skipping the tests of ${name}: ${client.reason}`);
    describe.skip(name, () => test("runs", () => undefined));
    return;
  }
  const { program } = client;
  const outcomes = new Map<Feature, Outcome>(lacks.map((feature) => [feature, "lacks"]));

  describe(name, () => {
    let directory: TemporaryDirectory;
    let broker: BrokerProcess;
    let driver: ClientDriver;
    let version = "";
    const apiUse = new ApiUse();

    beforeAll(async () => {
      directory = await temporaryDirectory();
      broker = await BrokerProcess.start({
        logDirectory: directory.path,
        port: await freePort(),
        config: { ...testConfig, "millrace.http.listener": "127.0.0.1:0" },
      });
      driver = new ClientDriver(program, broker.bootstrapServers);
      version = await driver.version();
    });
    afterEach(({ task }) => {
      if (task.result?.state !== "fail") return;
      console.error(`The broker's log:\n${broker.logTail(10)}\nThe client says:\n${driver.complaints}`);
    });
    afterAll(async () => {
      const isWhole = outcomes.size === features.length;
      if (isWhole) await apiUse.addLife(broker);
      await driver?.[Symbol.asyncDispose]();
      await broker?.[Symbol.asyncDispose]();
      await directory?.[Symbol.asyncDispose]();
      // Where tests were left out by a filter there is nothing to tell.
      if (!isWhole) return;
      const ordered = features.map((feature) => [feature, outcomes.get(feature) ?? "fails"]);
      const apis = apiUse.versions();
      await keepResults({ name, language, version, outcomes: Object.fromEntries(ordered), apis });
    });

    /** A test that decides one cell of the table. */
    function featureTest(feature: Feature, title: string, run: () => Promise<void>): void {
      test.skipIf(lacks.includes(feature))(`${feature}: ${title}`, async () => {
        outcomes.set(feature, "fails");
        await run();
        outcomes.set(feature, "works");
      });
    }

    async function newTopic(partitions = 1): Promise<string> {
      const topic = uniqueName("clients");
      await driver.createTopic(topic, { partitions, config: keepAll });
      return topic;
    }

    featureTest("produce", "keys, headers, timestamps and null values come back", async () => {
      const topic = await newTopic(2);
      const produced = oddRecords();
      const offsets = await driver.produce(topic, { records: produced });
      if (!offsets.includes(-1)) expect(offsets).toEqual([0, 1, 2, 3, 0]);
      const first = await driver.read(topic, { partition: 0, offset: 0, count: 4 });
      const second = await driver.read(topic, { partition: 1, offset: 0, count: 1 });
      const expected = produced.map((record, index) => ({ ...record, offset: index % 4 }));
      expect([...first, ...second].map(legible)).toEqual(expected.map(legible));
    });

    for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
      featureTest(compression, "batches are stored as they were compressed and come back", async () => {
        const topic = await newTopic();
        const records = Array.from({ length: 300 }, (_, index) => text(`${"again ".repeat(40)}${index}`));
        await driver.produce(topic, { compression, records });
        const stored = await storedCompressions(broker.bootstrapServers, topic);
        apiUse.subtract("Fetch", storedFetchVersion);
        expect(stored).toEqual([compression]);
        const read = await driver.read(topic, { partition: 0, offset: 0, count: 300 });
        expect(read.map(({ value }) => String(value))).toEqual(records.map(({ value }) => String(value)));
      });
    }

    featureTest("manual assignment", "reading starts at any offset, also within a batch", async () => {
      const topic = await newTopic();
      await driver.produce(topic, { compression: "gzip", records: numbered(10) });
      const read = await driver.read(topic, { partition: 0, offset: 7, count: 3 });
      expect(read.map(({ offset, value }) => [offset, String(value)])).toEqual([
        [7, "7"],
        [8, "8"],
        [9, "9"],
      ]);
    });

    featureTest("seek by time", "finds the first record that is not older", async () => {
      const topic = await newTopic();
      await driver.produce(topic, { records: numbered(10) });
      const offsetAt = (afterMs: number) =>
        driver.offsetForTime(topic, { partition: 0, timestampMs: timestampMs + afterMs });
      expect(await offsetAt(4_000)).toBe(4);
      expect(await offsetAt(4_001)).toBe(5);
      expect(await offsetAt(-1)).toBe(0);
      // After the last record there is none; librdkafka makes the end of that.
      expect(await offsetAt(9_001)).toBeOneOf([-1, 10]);
    });

    featureTest(
      "group",
      "members share the partitions, and what was committed is not read again",
      async () => {
        const topic = await newTopic(4);
        const groupId = uniqueName("group");
        const assigned = async (member: string) => (await driver.member(member)).assignment;
        const arrived = async (members: readonly string[], count: number) => {
          const states = await Promise.all(members.map((member) => driver.member(member)));
          return states.flatMap(({ values }) => values).length >= count;
        };
        await driver.join("first", { groupId, topic });
        await waitUntil(
          "all partitions at one member",
          async () => (await assigned("first")).length === 4,
          rebalanceMsMax,
        );
        await driver.produce(topic, { records: numbered(40, 4) });
        await waitUntil("the records of one member", () => arrived(["first"], 40));

        await driver.join("second", { groupId, topic });
        await waitUntil(
          "two partitions each",
          async () => (await assigned("first")).length === 2 && (await assigned("second")).length === 2,
          rebalanceMsMax,
        );
        const shared = [...(await assigned("first")), ...(await assigned("second"))];
        expect(shared.toSorted()).toEqual([0, 1, 2, 3]);
        await driver.produce(topic, { records: numbered(40, 4, 40) });
        await waitUntil("the records of two members", () => arrived(["first", "second"], 80));

        const first = await driver.leave("first");
        await waitUntil(
          "all partitions at the other",
          async () => (await assigned("second")).length === 4,
          rebalanceMsMax,
        );
        const second = await driver.leave("second");
        // Every record reached the group; at a rebalance a client may see some again.
        expect(new Set([...first.values, ...second.values])).toEqual(
          new Set(numbered(80).map(({ value }) => String(value))),
        );

        await driver.produce(topic, { records: numbered(4, 4, 80) });
        await driver.join("third", { groupId, topic });
        await waitUntil("the new records", () => arrived(["third"], 4), rebalanceMsMax).catch(
          async (late) => {
            throw new Error(JSON.stringify(await driver.member("third")), { cause: late });
          },
        );
        const third = await driver.leave("third");
        expect(third.values.toSorted()).toEqual(["80", "81", "82", "83"]);
      },
    );

    featureTest("admin", "topics and their configs are made, listed, changed and deleted", async () => {
      const topic = uniqueName("clients");
      await driver.createTopic(topic, { partitions: 3, config: { "retention.ms": "123456789" } });
      expect(await driver.topics()).toContain(topic);
      expect(await driver.partitionCount(topic)).toBe(3);
      expect(await driver.topicConfig(topic, "retention.ms")).toBe("123456789");
      await driver.setTopicConfig(topic, { name: "max.message.bytes", value: "54321" });
      expect(await driver.topicConfig(topic, "max.message.bytes")).toBe("54321");
      await expect(driver.createTopic(topic)).rejects.toThrow(/exists|TopicAlreadyExists/i);
      await driver.deleteTopic(topic);
      await waitUntil("the topic is gone", async () => !(await driver.topics()).includes(topic));
    });

    featureTest("idempotence", "an idempotent producer's records are stored once, in order", async () => {
      const topic = await newTopic();
      const records = numbered(2_000);
      await driver.produce(topic, { idempotent: true, records });
      const read = await driver.read(topic, { partition: 0, offset: 0, count: 2_000 });
      expect(read.map(({ value }) => Number(value))).toEqual(records.map((_, index) => index));
    });

    featureTest("restart", "producing, a group and reading go on over a kill -9", async () => {
      const topic = await newTopic();
      const idempotent = !lacks.includes("idempotence");
      await driver.join("survivor", { groupId: uniqueName("group"), topic });
      await driver.startStream("stream", { topic, idempotent });
      const acknowledged = (count: number) => async () =>
        (await driver.acknowledged("stream")).length >= count;
      await waitUntil("a hundred records", acknowledged(100));
      await apiUse.addLife(broker);
      await broker.kill();
      await broker.start();
      const { length } = await driver.acknowledged("stream");
      await waitUntil("another hundred records", acknowledged(length + 100), 60_000);
      const sent = await driver.stopStream("stream");

      await waitUntil(
        "the group has every record",
        async () => isSuperset((await driver.member("survivor")).values, sent),
        60_000,
      ).catch(async (late) => {
        const { assignment, values } = await driver.member("survivor");
        const missing = sent.filter((value) => !values.includes(value));
        const state = {
          assignment,
          taken: values.length,
          sent: sent.length,
          missing: missing.slice(0, 5),
          last: values.at(-1),
        };
        throw new Error(JSON.stringify(state), { cause: late });
      });
      await driver.leave("survivor");
      const values = await storedValues(broker.bootstrapServers, topic);
      apiUse.subtract("Fetch", storedFetchVersion);
      expect(isSuperset(values, sent)).toBe(true);
      if (idempotent) expect(values).toEqual(Array.from(values, (_, index) => String(index)));
    });
  });
}

function isSuperset(values: readonly string[], of: readonly string[]): boolean {
  return new Set(of).isSubsetOf(new Set(values));
}

function text(value: string): DrivenRecord {
  return { partition: 0, key: null, value: Buffer.from(value), headers: [], timestampMs };
}

/** Records whose values are numbers, a second apart, over so many partitions. */
function numbered(count: number, partitions = 1, from = 0): DrivenRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    ...text(String(from + index)),
    partition: index % partitions,
    timestampMs: timestampMs + index * 1_000,
  }));
}

function oddRecords(): DrivenRecord[] {
  const key = Buffer.from("key");
  const headers = [
    ["first", Buffer.from("1")],
    ["first", Buffer.from("again")],
    ["bytes", Buffer.from([0, 255, 128])],
  ] as const;
  return [
    { partition: 0, key, value: Buffer.from("value"), headers, timestampMs },
    { partition: 0, key, value: null, headers: [], timestampMs: timestampMs + 5 },
    {
      partition: 0,
      key: null,
      value: Buffer.from([0, 1, 254, 255]),
      headers: [],
      timestampMs: timestampMs + 3,
    },
    {
      partition: 0,
      key: Buffer.from("größer"),
      value: Buffer.from("ü"),
      headers: [],
      timestampMs: timestampMs + 9,
    },
    { partition: 1, key, value: Buffer.from("other partition"), headers: [], timestampMs },
  ];
}

/** Bytes as text, so that a difference can be read. */
function legible(record: DrivenRecord): unknown {
  const bytes = (value: Buffer | null) => value?.toString("latin1") ?? null;
  const headers = record.headers.map(([name, value]) => [name, bytes(value)]);
  return { ...record, key: bytes(record.key), value: bytes(record.value), headers };
}
