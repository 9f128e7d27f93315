import kafkajs, { type Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { ThreeNodes } from "./three-nodes.ts";

const { Kafka: KafkaClient, logLevel } = kafkajs;

function connect(cluster: ThreeNodes): Kafka {
  return new KafkaClient({
    clientId: "failover",
    brokers: cluster.bootstrapServers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  });
}

async function leaderOf(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions[0]?.leader ?? -1;
  } finally {
    await admin.disconnect();
  }
}

/** Produces numbered records one by one until told to stop; answers how many were acknowledged. */
function produceNumbers(kafka: Kafka, topic: string): { count: () => number; stop: () => Promise<void> } {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  let count = 0;
  let isStopped = false;
  const run = (async () => {
    await producer.connect();
    while (!isStopped) {
      await producer.send({ topic, acks: -1, messages: [{ key: "k", value: String(count) }] });
      count += 1;
    }
    await producer.disconnect();
  })();
  return {
    count: () => count,
    stop: async () => {
      isStopped = true;
      await run;
    },
  };
}

test("a killed leader is replaced, and no record is lost or doubled, for producers and groups alike", async () => {
  await using directory = await temporaryDirectory();
  await using cluster = await ThreeNodes.start(directory.path, { "group.min.session.timeout.ms": "1000" });
  const kafka = connect(cluster);
  const topic = uniqueName("failover");
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] });
  await admin.disconnect();

  const numbers = produceNumbers(kafka, topic);
  const consumer = kafka.consumer({
    groupId: uniqueName("group"),
    sessionTimeout: 3_000,
    heartbeatInterval: 300,
    // kafkajs starts anew as often as it meets the node that is gone, and each time only once its idle fetches have ended.
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: number[] = [];
  await consumer.run({
    autoCommitInterval: 200,
    eachMessage: async ({ message }) => {
      seen.push(Number(message.value));
    },
  });
  await waitUntil("records before the kill", () => seen.length > 50);

  const leader = await leaderOf(kafka, topic);
  expect([1, 2, 3]).toContain(leader);
  await cluster.node(leader).kill();
  const atKill = numbers.count();
  await waitUntil("records after the kill", () => numbers.count() > atKill + 50, 60_000);
  expect(await leaderOf(kafka, topic)).not.toBe(leader);
  await waitUntil("the group after the kill", () => seen.includes(atKill + 40), 60_000);

  cluster.node(leader).start();
  await cluster.node(leader).untilServing();
  const atReturn = numbers.count();
  await waitUntil("records after the return", () => numbers.count() > atReturn + 50, 60_000);
  await numbers.stop();
  await waitUntil("all records", () => new Set(seen).size >= numbers.count(), 60_000);
  await consumer.disconnect();

  // Each number once, and in order: what the log holds, read anew.
  const reader = kafka.consumer({ groupId: uniqueName("reader"), maxWaitTimeInMs: 100 });
  await reader.connect();
  await reader.subscribe({ topic, fromBeginning: true });
  const stored: number[] = [];
  await reader.run({
    eachMessage: async ({ message }) => {
      stored.push(Number(message.value));
    },
  });
  await waitUntil("the whole log", () => stored.length >= numbers.count(), 60_000);
  await reader.disconnect();
  expect(stored).toEqual(Array.from({ length: numbers.count() }, (_, index) => index));
}, 240_000);
