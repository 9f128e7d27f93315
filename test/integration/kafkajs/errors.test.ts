import { randomBytes } from "node:crypto";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { connectKafkajs, createTopic, withAdmin, withProducer } from "./kafkajs-client.ts";

const broker = useBroker();

test("a topic that does not exist is refused to a producer that may not create it", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 1 });
  const topic = uniqueName("unknown");
  const send = withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "x" }] }), {
    allowAutoTopicCreation: false,
  });
  await expect(send).rejects.toMatchObject({ cause: { type: "UNKNOWN_TOPIC_OR_PARTITION" } });
  expect(await withAdmin(kafka, (admin) => admin.listTopics())).not.toContain(topic);
});

test("a message above the limit of its topic is refused, and smaller ones still pass", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    const tooLarge = producer.send({ topic, messages: [{ value: randomBytes(1_100_000) }] });
    await expect(tooLarge).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
    const [answer] = await producer.send({ topic, messages: [{ value: "small" }] });
    expect(answer?.baseOffset).toBe("0");
  });
});

test("max.message.bytes of a topic acts on the next produce", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = await createTopic(kafka, { config: { "max.message.bytes": "1000" } });
  await withProducer(kafka, async (producer) => {
    const tooLarge = producer.send({ topic, messages: [{ value: "x".repeat(1_000) }] });
    await expect(tooLarge).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
    await producer.send({ topic, messages: [{ value: "x".repeat(500) }] });
  });
});

test.each([
  ["with spaces", "INVALID_TOPIC_EXCEPTION"],
  ["..", "INVALID_TOPIC_EXCEPTION"],
  ["x".repeat(250), "INVALID_TOPIC_EXCEPTION"],
])("the topic name %j is refused", async (topic, type) => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  await withAdmin(kafka, async (admin) => {
    const creation = admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await expect(creation).rejects.toMatchObject({ errors: [{ type, topic }] });
  });
});

test.each([
  [{ numPartitions: 0 }, "INVALID_PARTITIONS"],
  [{ replicationFactor: 7 }, "INVALID_REPLICATION_FACTOR"],
  [{ configEntries: [{ name: "no.such.config", value: "1" }] }, "INVALID_CONFIG"],
  [{ configEntries: [{ name: "retention.ms", value: "long" }] }, "INVALID_CONFIG"],
])("a topic of %j is refused", async (options, type) => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = uniqueName("topic");
  await withAdmin(kafka, async (admin) => {
    const creation = admin.createTopics({
      topics: [{ topic, numPartitions: 1, replicationFactor: 1, ...options }],
    });
    await expect(creation).rejects.toMatchObject({ errors: [{ type, topic }] });
    expect(await admin.listTopics()).not.toContain(topic);
  });
});

test("one bad topic of a request does not take the good one with it", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const good = uniqueName("good");
  await withAdmin(kafka, async (admin) => {
    const creation = admin.createTopics({ topics: [{ topic: "bad name" }, { topic: good }] });
    await expect(creation).rejects.toMatchObject({ errors: [{ topic: "bad name" }] });
    expect(await admin.listTopics()).toContain(good);
  });
});

test("deleting a topic that does not exist says so", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  await withAdmin(kafka, async (admin) => {
    const deletion = admin.deleteTopics({ topics: [uniqueName("unknown")] });
    await expect(deletion).rejects.toMatchObject({ cause: { type: "UNKNOWN_TOPIC_OR_PARTITION" } });
  });
});

test("a session timeout outside the broker's bounds is refused", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = await createTopic(kafka);
  const consumer = kafka.consumer({
    groupId: uniqueName("group"),
    sessionTimeout: 900,
    heartbeatInterval: 100,
    retry: { retries: 0 },
  });
  const crash = new Promise<Error>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic] });
    const started = consumer.run({ eachMessage: async () => undefined });
    const error = await Promise.race([crash, started.then(() => crash)]);
    expect(error).toMatchObject({ type: "INVALID_SESSION_TIMEOUT" });
  } finally {
    await consumer.disconnect();
  }
});

test("a null key is refused on a compacted topic", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = await createTopic(kafka, { config: { "cleanup.policy": "compact" } });
  await withProducer(kafka, async (producer) => {
    const keyless = producer.send({ topic, messages: [{ value: "no key" }] });
    // kafkajs has no name for this code, 87.
    await expect(keyless).rejects.toBeInstanceOf(kafkajs.KafkaJSProtocolError);
    await producer.send({ topic, messages: [{ key: "k", value: "v" }] });
  });
});
