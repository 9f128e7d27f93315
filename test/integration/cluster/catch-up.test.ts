import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { ThreeNodes } from "./three-nodes.ts";

const { Kafka, logLevel } = kafkajs;
const recordBytes = 20_000;
const recordCount = 600;

test("a node that was away for longer than the journals remember comes back with all that it missed", async () => {
  await using directory = await temporaryDirectory();
  // Journals of four MiB: what is written while the node is away is several times as much.
  await using cluster = await ThreeNodes.start(directory.path, {
    "millrace.journal.file.bytes": "1048576",
    "millrace.journal.files.max": "4",
  });
  const kafka = new Kafka({
    clientId: "catch-up",
    brokers: cluster.bootstrapServers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  });
  const topic = uniqueName("catch-up");
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] });
  const leader = async () =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions[0]?.leader ?? -1;
  const first = await leader();
  const away = first === 3 ? 2 : 3;
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();

  await cluster.node(away).kill();
  for (let at = 0; at < recordCount; at += 10) {
    const messages = Array.from({ length: 10 }, (_, index) => ({
      key: String(at + index),
      value: "x".repeat(recordBytes),
    }));
    await producer.send({ topic, acks: -1, messages });
  }
  const absent = uniqueName("absent");
  await admin.createTopics({ topics: [{ topic: absent, numPartitions: 1, replicationFactor: 3 }] });
  cluster.node(away).start();
  await cluster.node(away).untilServing();

  // Only with the one that was away there is a majority now, so it must have everything.
  await cluster.node(6 - first - away).kill();
  await producer.send({ topic, acks: -1, messages: [{ key: "last", value: "x" }] });
  await producer.disconnect();
  await cluster.node(first).kill();
  cluster.node(6 - first - away).start();
  await cluster.node(6 - first - away).untilServing();
  await waitUntil("another leader", async () => ![-1, first].includes(await leader()), 30_000);
  const consumer = kafka.consumer({ groupId: uniqueName("group"), maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const keys: string[] = [];
  await consumer.run({
    eachMessage: async ({ message }) => {
      keys.push(String(message.key));
    },
  });
  await waitUntil("all records", () => keys.length > recordCount, 60_000);
  await consumer.disconnect();
  await admin.disconnect();
  expect(keys).toEqual([...Array.from({ length: recordCount }, (_, index) => String(index)), "last"]);
}, 240_000);
