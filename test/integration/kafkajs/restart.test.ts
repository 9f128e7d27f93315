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

type Stop = "terminate" | "kill";

test.each<Stop>(["terminate", "kill"])("after %s, everything that was answered is there", async (stop) => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    port: await freePort(),
    config: testConfig,
  });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3, config: { "retention.ms": "987654321" } });
  const deleted = await createTopic(kafka);
  const values = Array.from({ length: 300 }, (_, number) => String(number));
  await withProducer(kafka, async (producer) => {
    for (let from = 0; from < values.length; from += 50) {
      const messages = values
        .slice(from, from + 50)
        .map((value) => ({ value, partition: Number(value) % 3 }));
      await producer.send({ topic, messages });
    }
  });
  const groupId = uniqueName("group");
  await readMessages(kafka, { topic, count: 300, groupId });
  const before = await withAdmin(kafka, async (admin) => {
    await admin.deleteTopics({ topics: [deleted] });
    return {
      cluster: await admin.describeCluster(),
      committed: await admin.fetchOffsets({ groupId, topics: [topic] }),
    };
  });
  expect(before.committed[0]?.partitions.map(({ offset }) => offset)).toEqual(["100", "100", "100"]);

  if (stop === "terminate") expect(await broker.terminate()).toEqual({ code: 0, signal: null });
  else await broker.kill();
  await broker.start();

  await withAdmin(kafka, async (admin) => {
    expect(await admin.describeCluster()).toEqual(before.cluster);
    expect(await admin.listTopics()).not.toContain(deleted);
    // While a coordinator loads its groups it may say so, which kafkajs's admin does not retry.
    const committed = await waitUntil("the group's coordinator", () =>
      admin.fetchOffsets({ groupId, topics: [topic] }).catch(() => undefined),
    );
    expect(committed).toEqual(before.committed);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ["retention.ms"] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe("987654321");
  });
  const again = await readMessages(kafka, { topic, count: 300 });
  expect(new Set(again.map(text))).toEqual(new Set(values));

  // The group goes on with what is new, and only that.
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "new" }] }));
  expect((await readMessages(kafka, { topic, count: 1, groupId })).map(text)).toEqual(["new"]);
});

test("a consumer and a producer go on by themselves over a crash", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    port: await freePort(),
    config: testConfig,
  });
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 100 });
  const topic = await createTopic(kafka);
  const received = new Set<string>();
  const consumer = kafka.consumer({ groupId: uniqueName("group"), maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.add(text(message) ?? "");
      },
    });
    await withProducer(kafka, async (producer) => {
      await producer.send({ topic, messages: [{ value: "before" }] });
      await waitUntil("the first message", () => received.has("before"));
      await broker.kill();
      const sent = producer.send({ topic, messages: [{ value: "meanwhile" }] });
      await broker.start();
      await sent;
      await producer.send({ topic, messages: [{ value: "after" }] });
    });
    await waitUntil(
      "messages after the crash",
      () => received.has("meanwhile") && received.has("after"),
      60_000,
    );
  } finally {
    await consumer.disconnect();
  }
});
