import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import { freePort } from "../free-port.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig, uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs-client.ts";

/** Compaction that never rests for long, and segments that age in no time. */
const config = {
  ...testConfig,
  "log.cleaner.backoff.ms": "200",
  "log.cleaner.min.cleanable.ratio": "0",
  "log.roll.ms": "500",
};

/** Bytes of all segments of a topic. */
async function segmentBytes(directory: string, topic: string): Promise<number> {
  let sizeBytes = 0;
  for (const partition of await readdir(directory)) {
    if (!partition.startsWith(`${topic}-`)) continue;
    for (const name of await readdir(join(directory, partition))) {
      if (!name.endsWith(".log")) continue;
      // It may be replaced while we look.
      sizeBytes += await stat(join(directory, partition, name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  return sizeBytes;
}

/** Whether the broker has told that it compacted a partition up to an offset. */
function hasCompacted({ log }: BrokerProcess, partition: string, offset: number): boolean {
  return log.some(
    (line) => line.msg === "compacted a log" && line.partition === partition && line.cleanedOffset === offset,
  );
}

test("a compacted topic shows a new consumer the last value of each key, also after kill -9", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    port: await freePort(),
    config,
  });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, {
    config: { "cleanup.policy": "compact", "segment.bytes": "1048576" },
  });
  const keyCount = 10;
  const updates = 800;
  await withProducer(kafka, async (producer) => {
    for (let from = 0; from < updates; from += 50) {
      const messages = Array.from({ length: 50 }, (_, i) => ({
        key: `key-${(from + i) % keyCount}`,
        value: `${from + i}:${"x".repeat(10_000)}`,
      }));
      await producer.send({ topic, messages });
    }
  });

  // Four megabytes are flushed at once, the rest within ten seconds, or with a clean stop.
  await broker.terminate();
  await broker.start();
  await waitUntil("a compacted log", () => hasCompacted(broker, `${topic}-0`, updates), 60_000);
  expect(await segmentBytes(directory.path, topic)).toBeLessThan(keyCount * 11_000);
  const expected = Array.from({ length: keyCount }, (_, i) => String(updates - keyCount + i));
  const numbers = async () =>
    (await readMessages(kafka, { topic, count: keyCount })).map((message) => text(message)?.split(":")[0]);
  expect(await numbers()).toEqual(expected);
  await withAdmin(kafka, async (admin) => {
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: "0", high: String(updates) }]);
  });

  await broker.kill();
  await broker.start();
  expect(await numbers()).toEqual(expected);
});

test("__consumer_offsets stays small under many commits, and offsets survive kill -9", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    port: await freePort(),
    config: { ...config, "offsets.topic.num.partitions": "1" },
  });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 10 });
  const groupId = uniqueName("group");
  const commits = 200;
  // Offset 0 is all that an empty partition has: kafkajs would replace another. The metadata tells commits apart.
  const commit = async (first: number) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    await consumer.connect();
    try {
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.subscribe({ topics: [topic] });
      await consumer.run({ autoCommit: false, eachMessage: async () => {} });
      await joined;
      for (let i = 0; i < commits; i++) {
        await consumer.commitOffsets(
          Array.from({ length: 10 }, (_, partition) => ({
            topic,
            partition,
            offset: "0",
            metadata: `${first + i}`,
          })),
        );
      }
    } finally {
      await consumer.disconnect();
    }
  };
  const committed = () =>
    withAdmin(kafka, (admin) =>
      waitUntil("the group's coordinator", async () => {
        const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] }).catch(() => []);
        return answer?.partitions.map(({ metadata }) => metadata);
      }),
    );
  const expected = Array.from({ length: 10 }, () => String(2000 + commits - 1));
  await commit(1000);
  await commit(2000);
  // A clean stop flushes what was committed; the next start compacts what is not compacted yet.
  await broker.terminate();
  await broker.start();
  const writtenBytes = 2 * commits * 10 * 50;
  await waitUntil(
    "the compacted size",
    async () => (await segmentBytes(directory.path, "__consumer_offsets")) < writtenBytes / 20,
    60_000,
  );
  expect(await committed()).toEqual(expected);

  await broker.kill();
  await broker.start();
  expect(await committed()).toEqual(expected);
});
