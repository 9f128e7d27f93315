import type { Consumer, EachBatchPayload, Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
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

/** A topic of one partition with the values "0" to "count - 1", each its own batch of ten. */
async function numberedTopic(kafka: Kafka, count: number): Promise<string> {
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    for (let from = 0; from < count; from += 10) {
      const messages = Array.from({ length: 10 }, (_, index) => ({ value: String(from + index) }));
      await producer.send({ topic, messages });
    }
  });
  return topic;
}

async function withConsumer<T>(
  kafka: Kafka,
  topic: string,
  use: (consumer: Consumer, groupId: string) => Promise<T>,
): Promise<T> {
  const groupId = uniqueName("group");
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    return await use(consumer, groupId);
  } finally {
    await consumer.disconnect();
  }
}

test("a consumer that seeks goes on from there, in the middle of a batch", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await numberedTopic(kafka, 100);
  await withConsumer(kafka, topic, async (consumer) => {
    const received: number[] = [];
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(Number(text(message)));
      },
    });
    await waitUntil("all messages", () => received.length >= 100);
    consumer.seek({ topic, partition: 0, offset: "57" });
    await waitUntil("the messages again", () => received.length >= 143);
    expect(received.slice(100)).toEqual(Array.from({ length: 43 }, (_, index) => 57 + index));
  });
});

test("a paused partition delivers nothing until it is resumed", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  await withConsumer(kafka, topic, async (consumer) => {
    const received: string[] = [];
    let joined = false;
    consumer.on(consumer.events.GROUP_JOIN, () => {
      joined = true;
    });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(text(message) ?? "");
      },
    });
    await waitUntil("the group", () => joined);
    consumer.pause([{ topic, partitions: [0] }]);
    await withProducer(kafka, async (producer) => {
      await producer.send({ topic, messages: [{ value: "held back", partition: 0 }] });
      for (const value of ["through 1", "through 2"]) {
        await producer.send({ topic, messages: [{ value, partition: 1 }] });
        await waitUntil(value, () => received.includes(value));
      }
    });
    expect(received).not.toContain("held back");
    consumer.resume([{ topic, partitions: [0] }]);
    await waitUntil("the resumed partition", () => received.includes("held back"));
  });
});

test("eachBatch sees the high watermark and commits what it resolved", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await numberedTopic(kafka, 50);
  await withConsumer(kafka, topic, async (consumer, groupId) => {
    const received: string[] = [];
    const watermarks = new Set<string>();
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({
        batch,
        resolveOffset,
        heartbeat,
        commitOffsetsIfNecessary,
        uncommittedOffsets,
      }: EachBatchPayload) => {
        watermarks.add(batch.highWatermark);
        for (const message of batch.messages) {
          received.push(text(message) ?? "");
          resolveOffset(message.offset);
        }
        await heartbeat();
        await commitOffsetsIfNecessary(uncommittedOffsets());
      },
    });
    await waitUntil("all batches", () => received.length >= 50);
    expect(received).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
    expect([...watermarks]).toEqual(["50"]);
    const committed = await withAdmin(kafka, (admin) =>
      waitUntil("the commit", async () => {
        const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return offsets?.partitions[0]?.offset === "50" && offsets;
      }),
    );
    expect(committed.partitions).toHaveLength(1);
  });
});

test("manual commits keep offset and metadata, and the next member of the group goes on there", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await numberedTopic(kafka, 30);
  const groupId = await withConsumer(kafka, topic, async (consumer, groupId) => {
    const received: string[] = [];
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        received.push(text(message) ?? "");
      },
    });
    await waitUntil("all messages", () => received.length >= 30);
    await consumer.commitOffsets([{ topic, partition: 0, offset: "12", metadata: "stopped for lunch" }]);
    return groupId;
  });
  const committed = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  expect(committed).toEqual([
    { topic, partitions: [{ partition: 0, offset: "12", metadata: "stopped for lunch" }] },
  ]);
  const rest = await readMessages(kafka, { topic, count: 18, groupId });
  expect(rest.map(text)).toEqual(Array.from({ length: 18 }, (_, index) => String(12 + index)));
});

test("a group without commits that starts at the latest offset sees only what comes after", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await numberedTopic(kafka, 20);
  const consumer = kafka.consumer({ groupId: uniqueName("group"), maxWaitTimeInMs: 100 });
  const received: string[] = [];
  let fetches = 0;
  consumer.on(consumer.events.FETCH, () => {
    fetches += 1;
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: false });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(text(message) ?? "");
      },
    });
    // An answered fetch means that the position "latest" has been resolved.
    await waitUntil("a fetch at the end", () => fetches > 0);
    await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "new" }] }));
    await waitUntil("the new message", () => received.length > 0);
    expect(received).toEqual(["new"]);
  } finally {
    await consumer.disconnect();
  }
});

test("a small fetch limit still makes progress through batches that are larger", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    for (let index = 0; index < 5; index++) {
      await producer.send({ topic, messages: [{ value: `${index}${"x".repeat(50_000)}` }] });
    }
  });
  const consumer = kafka.consumer({
    groupId: uniqueName("group"),
    maxBytesPerPartition: 1_000,
    maxBytes: 2_000,
    maxWaitTimeInMs: 100,
  });
  const received: string[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(text(message)?.slice(0, 1) ?? "");
      },
    });
    await waitUntil("five large batches", () => received.length >= 5);
    expect(received).toEqual(["0", "1", "2", "3", "4"]);
  } finally {
    await consumer.disconnect();
  }
});

test("a consumer of a pattern gets the topics that match it", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const prefix = uniqueName("pattern");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({
      topics: ["a", "b"].map((name) => ({ topic: `${prefix}-${name}`, numPartitions: 1 })),
      waitForLeaders: true,
    }),
  );
  await withProducer(kafka, (producer) =>
    producer.sendBatch({
      topicMessages: ["a", "b"].map((name) => ({ topic: `${prefix}-${name}`, messages: [{ value: name }] })),
    }),
  );
  const consumer = kafka.consumer({ groupId: uniqueName("group"), maxWaitTimeInMs: 100 });
  const received: string[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [new RegExp(`^${prefix}-.$`)], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, message }) => {
        received.push(`${topic}=${text(message)}`);
      },
    });
    await waitUntil("both topics", () => received.length >= 2);
    expect(received.toSorted()).toEqual([`${prefix}-a=a`, `${prefix}-b=b`]);
  } finally {
    await consumer.disconnect();
  }
});
