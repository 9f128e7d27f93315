import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import kafkajs, { type Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { ThreeNodes } from "./three-nodes.ts";

const { Kafka: KafkaClient, logLevel } = kafkajs;
const run = promisify(execFile);
const isKcatMissing = spawnSync("kcat", ["-V"]).error !== undefined;
if (isKcatMissing) process.stderr.write("kcat is not here: what it would show of client.rack is skipped\n");

const rackOf = (nodeId: number) => `rack-${nodeId}`;
const rackAware = { "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector" };

function connect(cluster: ThreeNodes): Kafka {
  return new KafkaClient({
    clientId: "data-path",
    brokers: cluster.bootstrapServers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  });
}

/** Makes a topic on all nodes with numbered records in it; answers who leads it. */
async function topicWith(kafka: Kafka, count: number, configs: Record<string, string> = {}) {
  const topic = uniqueName("data-path");
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor: 3, configEntries }],
  });
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, at) => ({ value: String(at) }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return { topic, leader: topics[0]?.partitions[0]?.leader ?? -1 };
}

/** Reads a topic from its begin, in a rack; answers the values and the addresses that were fetched from. */
async function readFrom(kafka: Kafka, topic: string, { rackId, count }: { rackId?: string; count: number }) {
  const consumer = kafka.consumer({
    groupId: uniqueName("group"),
    maxWaitTimeInMs: 100,
    ...(rackId && { rackId }),
  });
  const values: string[] = [];
  const sources: string[] = [];
  consumer.on(consumer.events.REQUEST, ({ payload }) => {
    if (payload.apiName === "Fetch") sources.push(payload.broker);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value));
    },
  });
  await waitUntil("the records", () => values.length >= count, 60_000);
  await consumer.disconnect();
  return { values, sources };
}

test("consumers read from the replica in their rack, and from the leader once that is gone", async () => {
  await using directory = await temporaryDirectory();
  await using cluster = await ThreeNodes.start(directory.path, rackAware, { rackOf });
  const kafka = connect(cluster);
  const { topic, leader } = await topicWith(kafka, 100);
  const near = leader === 3 ? 2 : 3;
  // Replicas tell their leader where they begin once a second.
  await waitUntil("a read from the near replica", async () => {
    const read = await readFrom(kafka, topic, { rackId: rackOf(near), count: 100 });
    expect(read.values).toHaveLength(100);
    return read.sources.at(-1) === cluster.node(near).address;
  });
  const anywhere = await readFrom(kafka, topic, { count: 100 });
  expect(new Set(anywhere.sources)).toEqual(new Set([cluster.node(leader).address]));

  if (!isKcatMissing) {
    const { stdout, stderr } = await run("kcat", [
      ...["-C", "-b", cluster.bootstrapServers.join(","), "-t", topic, "-o", "beginning", "-e", "-q"],
      ...["-X", `client.rack=${rackOf(near)}`, "-d", "fetch"],
    ]);
    expect(stdout.trim().split("\n")).toHaveLength(100);
    const fetched = stderr
      .split("\n")
      .filter((line) => line.includes("Fetch reply") || line.includes("FETCH"));
    expect(fetched.some((line) => line.includes(`:${cluster.node(near).port}/${near}`))).toBe(true);
  }

  await cluster.node(near).kill();
  const after = await readFrom(kafka, topic, { rackId: rackOf(near), count: 100 });
  expect(after.values).toHaveLength(100);
}, 240_000);

test("what DeleteRecords has removed does not come back with another leader", async () => {
  await using directory = await temporaryDirectory();
  await using cluster = await ThreeNodes.start(directory.path);
  const kafka = connect(cluster);
  const { topic, leader } = await topicWith(kafka, 100);
  const admin = kafka.admin();
  await admin.connect();
  // The client deletes only from topics that it has come to know so.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "60" }] });
  await cluster.node(leader).kill();
  // Until there is another leader nobody tells; who tells must not tell of an earlier start.
  const found: string[] = [];
  const isTold = async () => {
    const [offsets] = await admin.fetchTopicOffsets(topic).catch(() => []);
    if (offsets) found.push(`${offsets.low} to ${offsets.high}`);
    return offsets !== undefined;
  };
  await waitUntil("the offsets from another leader", isTold, 60_000);
  const { values } = await readFrom(kafka, topic, { count: 40 });
  expect(values[0]).toBe("60");

  cluster.node(leader).start();
  await cluster.node(leader).untilServing();
  const other = 6 - leader - ([1, 2, 3].find((id) => id !== leader) ?? 0);
  await cluster.node(other).kill();
  await waitUntil("the offsets from the one that came back, or its leader", isTold, 60_000);
  await admin.disconnect();
  expect(new Set(found)).toEqual(new Set(["60 to 100"]));
}, 240_000);

test("a producer hears of a lost majority in its own time, and loses nothing that was acknowledged", async () => {
  await using directory = await temporaryDirectory();
  await using cluster = await ThreeNodes.start(directory.path);
  const kafka = connect(cluster);
  const { topic, leader } = await topicWith(kafka, 10);
  const others = [1, 2, 3].filter((nodeId) => nodeId !== leader);
  for (const nodeId of others) cluster.node(nodeId).signal("SIGSTOP");
  const hasty = new KafkaClient({
    clientId: "hasty",
    brokers: [cluster.node(leader).address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).producer();
  await hasty.connect();
  const startedMs = performance.now();
  const outcome = await hasty
    .send({ topic, acks: -1, timeout: 500, messages: [{ value: "in doubt" }] })
    .then(() => "sent", String);
  // Whatever comes first: its timeout, or that the leader has noticed.
  expect(outcome).toMatch(/timed out|not the leader|no leader|fewer in-sync replicas/i);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  await hasty.disconnect();
  for (const nodeId of others) cluster.node(nodeId).signal("SIGCONT");

  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ value: "last" }] });
  await producer.disconnect();
  const { values } = await readFrom(kafka, topic, { count: 11 });
  expect(values.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, at) => String(at)));
  await waitUntil("the last record", async () => {
    const read = await readFrom(kafka, topic, { count: 11 });
    return read.values.includes("last");
  });
}, 240_000);
