import type { Kafka, Producer } from "kafkajs";
import { expect, test } from "vitest";
import { useBroker } from "../test-broker.ts";
import {
  connectKafkajs,
  createTopic,
  deleteRecords,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs-client.ts";

const broker = useBroker();
const idempotent = { idempotent: true, maxInFlightRequests: 1 } as const;

async function sendNumbered(producer: Producer, topic: string, count: number): Promise<string[]> {
  const values = Array.from({ length: count }, (_, index) => String(index));
  for (const value of values) {
    await producer.send({
      topic,
      messages: [0, 1, 2].map((partition) => ({ value, partition })),
    });
  }
  return values;
}

async function valuesOf(
  kafka: Kafka,
  topic: string,
  { count }: { count: number },
): Promise<(string | undefined)[][]> {
  const messages = await readMessages(kafka, { topic, count });
  return [0, 1, 2].map((partition) =>
    messages.filter((message) => message.partition === partition).map(text),
  );
}

test("an idempotent producer's records are stored once each, in order", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3 });
  const values = await withProducer(kafka, (producer) => sendNumbered(producer, topic, 30), idempotent);
  expect(await valuesOf(kafka, topic, { count: 90 })).toEqual([values, values, values]);
});

test("idempotent producers do not disturb each other", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3 });
  await Promise.all(
    [1, 2, 3].map(() => withProducer(kafka, (producer) => sendNumbered(producer, topic, 10), idempotent)),
  );
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  expect(offsets.map(({ high }) => high)).toEqual(["30", "30", "30"]);
});

test("an idempotent producer goes on after the records that it wrote were deleted", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3 });
  await withProducer(
    kafka,
    async (producer) => {
      await sendNumbered(producer, topic, 5);
      await deleteRecords(kafka, { topic, partition: 0, before: "-1" });
      await producer.send({ topic, messages: [{ value: "after", partition: 0 }] });
    },
    idempotent,
  );
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  expect(offsets.find(({ partition }) => partition === 0)).toMatchObject({ low: "5", high: "6" });
});
