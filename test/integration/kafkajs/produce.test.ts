import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs-client.ts";

const broker = useBroker();

test.each([1, -1])("acks=%i answers with the offset that the first record of each send got", async (acks) => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    const [first] = await producer.send({ topic, acks, messages: [{ value: "a" }, { value: "b" }] });
    const [second] = await producer.send({ topic, acks, messages: [{ value: "c" }] });
    expect(first).toMatchObject({ topicName: topic, partition: 0, errorCode: 0, baseOffset: "0" });
    expect(second).toMatchObject({ baseOffset: "2", logStartOffset: "0", logAppendTime: "-1" });
  });
  const messages = await readMessages(kafka, { topic, count: 3 });
  expect(messages.map(text)).toEqual(["a", "b", "c"]);
  expect(messages.map(({ offset }) => offset)).toEqual(["0", "1", "2"]);
});

test("acks=0 gets no answer and is stored all the same", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    const answers = await producer.send({ topic, acks: 0, messages: [{ value: "unanswered" }] });
    expect(answers).toEqual([]);
    // The connection still pairs answers with requests: a stray answer would have broken it.
    await producer.send({ topic, acks: -1, messages: [{ value: "answered" }] });
  });
  const messages = await readMessages(kafka, { topic, count: 2 });
  expect(messages.map(text)).toEqual(["unanswered", "answered"]);
});

test("keys, values, headers and timestamps come back byte for byte", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const binary = randomBytes(300);
  await withProducer(kafka, (producer) =>
    producer.send({
      topic,
      messages: [
        { key: "key", value: "value", timestamp: "1700000000123" },
        { key: binary, value: binary, timestamp: "1600000000000" },
        { key: null, value: null },
        { key: "", value: "" },
        {
          value: "with headers",
          headers: { trace: ["first", binary, "third"], empty: "", single: "x" },
        },
      ],
    }),
  );
  const [plain, bytes, nothing, empty, headers] = await readMessages(kafka, { topic, count: 5 });
  expect(plain).toMatchObject({ timestamp: "1700000000123", headers: {} });
  expect([plain?.key?.toString(), plain?.value?.toString()]).toEqual(["key", "value"]);
  expect(bytes?.timestamp).toBe("1600000000000");
  expect([bytes?.key, bytes?.value]).toEqual([binary, binary]);
  expect([nothing?.key, nothing?.value]).toEqual([null, null]);
  expect([empty?.key?.length, empty?.value?.length]).toEqual([0, 0]);
  expect(headers?.headers).toEqual({
    trace: [Buffer.from("first"), binary, Buffer.from("third")],
    empty: Buffer.from(""),
    single: Buffer.from("x"),
  });
});

test("a message of 900 KB passes", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const value = randomBytes(900_000);
  await withProducer(kafka, async (producer) => {
    for (let index = 0; index < 4; index++) await producer.send({ topic, messages: [{ value }] });
  });
  const messages = await readMessages(kafka, { topic, count: 4 });
  expect(messages.every((message) => message.value?.equals(value))).toBe(true);
});

test("ten thousand records over many sends and partitions come back once, in order per partition", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 6 });
  const numbers = Array.from({ length: 10_000 }, (_, number) => number);
  await withProducer(kafka, async (producer) => {
    for (let from = 0; from < numbers.length; from += 500) {
      const messages = numbers
        .slice(from, from + 500)
        .map((number) => ({ value: String(number), partition: number % 6 }));
      await producer.send({ topic, messages });
    }
  });
  const messages = await readMessages(kafka, { topic, count: numbers.length });
  for (let partition = 0; partition < 6; partition++) {
    const values = messages.filter((message) => message.partition === partition).map(text);
    expect(values).toEqual(numbers.filter((number) => number % 6 === partition).map(String));
  }
});

test("sends that overlap on one connection are all stored", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    const sends = Array.from({ length: 50 }, (_, number) =>
      producer.send({ topic, messages: [{ value: String(number) }] }),
    );
    const offsets = (await Promise.all(sends)).map(([answer]) => Number(answer?.baseOffset));
    expect(offsets.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, offset) => offset));
  });
});

test("one request to many topics answers for each", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topics = [await createTopic(kafka), await createTopic(kafka), await createTopic(kafka)];
  await withProducer(kafka, async (producer) => {
    const answers = await producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ value: topic }] })),
    });
    expect(answers.map(({ topicName }) => topicName).toSorted()).toEqual(topics.toSorted());
    expect(answers.every(({ errorCode, baseOffset }) => errorCode === 0 && baseOffset === "0")).toBe(true);
  });
});

test("a topic of LogAppendTime stamps its own time and says which", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { config: { "message.timestamp.type": "LogAppendTime" } });
  const answers = await withProducer(kafka, (producer) =>
    producer.send({ topic, messages: [{ value: "late", timestamp: "1000" }] }),
  );
  const [message] = await readMessages(kafka, { topic, count: 1 });
  expect(Number(answers[0]?.logAppendTime)).toBeGreaterThan(1_700_000_000_000);
  expect(message?.timestamp).toBe(answers[0]?.logAppendTime);
});

test("producing to an unknown topic creates it with the broker's default partitions", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = `created-by-producer-${randomBytes(4).toString("hex")}`;
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "first" }] }), {
    allowAutoTopicCreation: true,
  });
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  expect(topics[0]?.partitions).toHaveLength(1);
  expect((await readMessages(kafka, { topic, count: 1 })).map(text)).toEqual(["first"]);
});

test("a consumer that waits at the end is woken by the next record, not by its timeout", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const received: string[] = [];
  const consumer = kafka.consumer({ groupId: `${topic}-group`, maxWaitTimeInMs: 25_000 });
  await consumer.connect();
  await withProducer(kafka, async (producer) => {
    try {
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => {
          received.push(text(message) ?? "");
        },
      });
      for (const value of ["1", "2", "3"]) {
        await producer.send({ topic, messages: [{ value }] });
        // Far below the 25 s that the fetch would wait by itself.
        await waitUntil(`record ${value}`, () => received.includes(value), 10_000);
      }
    } finally {
      // The consumer's end waits for its fetch, which only another record ends soon.
      const disconnected = consumer.disconnect();
      await producer.send({ topic, messages: [{ value: "4" }] });
      await disconnected;
    }
  });
  expect(received.slice(0, 3)).toEqual(["1", "2", "3"]);
});
