import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { useBroker } from "../test-broker.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs-client.ts";

const { CompressionTypes } = kafkajs;
const broker = useBroker();

const codecs = [
  ["gzip", CompressionTypes.GZIP],
  ["snappy", CompressionTypes.Snappy],
  ["lz4", CompressionTypes.LZ4],
  ["zstd", CompressionTypes.ZSTD],
] as const;

const values = Array.from({ length: 1_000 }, (_, index) => `${index} ${"text that repeats ".repeat(20)}`);

test.each(codecs)("%s: compressed batches come back whole", async (_name, compression) => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    for (let from = 0; from < values.length; from += 250) {
      const messages = values
        .slice(from, from + 250)
        .map((value) => ({ value, headers: { h: value.slice(0, 5) } }));
      await producer.send({ topic, compression, messages });
    }
  });
  const messages = await readMessages(kafka, { topic, count: values.length });
  expect(messages.map(text)).toEqual(values);
  expect(messages.map(({ offset }) => Number(offset))).toEqual(values.map((_, offset) => offset));
});

test("every codec and none may share a partition", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const all = [CompressionTypes.None, ...codecs.map(([, compression]) => compression)];
  await withProducer(kafka, async (producer) => {
    for (const compression of all) {
      await producer.send({
        topic,
        compression,
        messages: [{ value: `${compression} a` }, { value: `${compression} b` }],
      });
    }
  });
  const messages = await readMessages(kafka, { topic, count: all.length * 2 });
  expect(messages.map(text)).toEqual(all.flatMap((compression) => [`${compression} a`, `${compression} b`]));
});

test.each(codecs)("%s: a time inside a compressed batch is found", async (_name, compression) => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const messages = [1_000, 2_000, 3_000, 4_000].map((time) => ({
    value: String(time),
    timestamp: String(time),
  }));
  await withProducer(kafka, (producer) => producer.send({ topic, compression, messages }));
  const [found] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsetsByTimestamp(topic, 2_500));
  expect(found).toMatchObject({ partition: 0, offset: "2" });
});
