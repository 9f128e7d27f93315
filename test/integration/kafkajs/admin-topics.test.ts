import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
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

test("a created topic is described with its partitions, leader and replicas", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = uniqueName("topic");
  await withAdmin(kafka, async (admin) => {
    const options = { topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] };
    expect(await admin.createTopics(options)).toBe(true);
    expect(await admin.listTopics()).toContain(topic);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { brokers } = await admin.describeCluster();
    const nodeId = brokers[0]?.nodeId;
    expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).toSorted()).toEqual([0, 1, 2]);
    for (const partition of topics[0]?.partitions ?? []) {
      expect(partition).toMatchObject({
        partitionErrorCode: 0,
        leader: nodeId,
        replicas: [nodeId],
        isr: [nodeId],
      });
    }
    // False is how kafkajs says that it exists already.
    expect(await admin.createTopics(options)).toBe(false);
  });
});

test("defaults of the broker fill in what a topic's creation leaves out", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = uniqueName("topic");
  await withAdmin(kafka, async (admin) => {
    await admin.createTopics({ topics: [{ topic }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(1);
  });
});

test("a creation that only validates creates nothing", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = uniqueName("topic");
  await withAdmin(kafka, async (admin) => {
    expect(await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic }] })).toBe(
      true,
    );
    expect(await admin.listTopics()).not.toContain(topic);
  });
});

test("a deleted topic is gone, and one created anew under its name starts empty at offset 0", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  await withProducer(kafka, (producer) =>
    producer.send({ topic, messages: [{ value: "of the first life" }] }),
  );
  await withAdmin(kafka, async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await waitUntil("the topic's end", async () => !(await admin.listTopics()).includes(topic));
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    expect(await admin.fetchTopicOffsets(topic)).toEqual([
      { partition: 0, offset: "0", low: "0", high: "0" },
    ]);
  });
  await withProducer(connectKafkajs(broker.bootstrapServers), (producer) =>
    producer.send({ topic, messages: [{ value: "of the second life" }] }),
  );
  expect((await readMessages(kafka, { topic, count: 1 })).map(text)).toEqual(["of the second life"]);
});

test("partitions are added, keeping the records of those that were there", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "kept" }] }));
  await withAdmin(kafka, async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    const offsets = await waitUntil("four partitions", async () => {
      // Apache Kafka leads a new partition only a moment after it answers.
      const found = await admin.fetchTopicOffsets(topic).catch(() => []);
      return found.length === 4 && found;
    });
    const ends = offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
    expect(ends).toEqual(["1", "0", "0", "0"]);
  });
});

test("partitions cannot be taken away", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3 });
  await withAdmin(kafka, async (admin) => {
    const fewer = admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
    await expect(fewer).rejects.toMatchObject({ type: "INVALID_PARTITIONS" });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
  });
});

test("deleted records move the start of the partition and cannot be read", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  await withProducer(kafka, async (producer) => {
    for (let number = 0; number < 10; number++) {
      await producer.send({ topic, messages: [{ value: String(number), partition: 0 }] });
    }
  });
  await deleteRecords(kafka, { topic, partition: 0, before: "7" });
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  expect(offsets.find(({ partition }) => partition === 0)).toMatchObject({ low: "7", high: "10" });
  expect((await readMessages(kafka, { topic, count: 3 })).map(text)).toEqual(["7", "8", "9"]);
});

test("the cluster describes itself at the address that the client used", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const cluster = await withAdmin(kafka, (admin) => admin.describeCluster());
  const [host, port] = broker.bootstrapServers.split(":");
  expect(cluster.brokers).toEqual([{ nodeId: cluster.controller, host, port: Number(port) }]);
  expect(cluster.clusterId).toMatch(/^[\w-]{22}$/);
});
