import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { shareThreeNodes } from "./shared-nodes.ts";
import { ThreeNodes } from "./three-nodes.ts";

const cluster = shareThreeNodes({
  "broker.session.timeout.ms": "1500",
  "leader.imbalance.check.interval.seconds": "1",
});

const acknowledged = { acks: -1, messages: [{ value: "x" }] };

test("any node takes changes, and all show them at once to who has made them there", async () => {
  for (const address of cluster.bootstrapServers) {
    const kafka = connectTo(cluster, [address]);
    const topic = uniqueName("anywhere");
    await withAdmin(kafka, async (admin) => {
      await admin.createTopics({ topics: [{ topic, numPartitions: 6, replicationFactor: 3 }] });
      expect(await admin.listTopics()).toContain(topic);
      await admin.createPartitions({ topicPartitions: [{ topic, count: 7 }] });
      const { brokers, controller } = await admin.describeCluster();
      expect(brokers.map(({ nodeId }) => nodeId).toSorted()).toEqual([1, 2, 3]);
      expect([1, 2, 3]).toContain(controller);
    });
    const leaders = await leadersOf(kafka, topic);
    expect(leaders).toHaveLength(7);
    for (const nodeId of [1, 2, 3]) {
      expect(leaders.filter((leader) => leader === nodeId).length).toBeGreaterThanOrEqual(2);
    }
    await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
  }
});

test("producers reach partitions of one replica wherever those are", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("spread");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] }),
  );
  expect((await leadersOf(kafka, topic)).toSorted()).toEqual([1, 2, 3]);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const partition of [0, 1, 2]) {
    await producer.send({ topic, acks: -1, messages: [{ partition, value: "x" }] });
  }
  await producer.disconnect();
  // Some of it will have no leader once nodes are gone, and clients ask for all topics.
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
});

test("what is not a node is kept out of the port between nodes", async () => {
  const socket = connect({ host: "127.0.0.1", port: await cluster.controllerPortOf(1) });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await closed;
  const { brokers } = await withAdmin(connectTo(cluster), (admin) => admin.describeCluster());
  expect(brokers).toHaveLength(3);
});

test("a broker that is gone is not shown, and with two gone nothing is acknowledged and what is committed is read", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("minority");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
  );
  const producer = kafka.producer({ retry: { retries: 0 } });
  await producer.connect();
  await producer.send({ topic, ...acknowledged });
  const [leader = -1] = await leadersOf(kafka, topic);
  const [second = -1, third = -1] = [1, 2, 3].filter((nodeId) => nodeId !== leader);

  await cluster.node(second).kill();
  await waitUntil("two brokers", async () => {
    const { brokers } = await withAdmin(kafka, (admin) => admin.describeCluster());
    return brokers.length === 2;
  });
  await producer.send({ topic, ...acknowledged });
  await cluster.node(third).kill();
  await expect(producer.send({ topic, ...acknowledged, timeout: 3_000 })).rejects.toThrow();

  cluster.node(second).start();
  cluster.node(third).start();
  await Promise.all([second, third].map((nodeId) => cluster.node(nodeId).untilServing()));
  const again = kafka.producer();
  await again.connect();
  await again.send({ topic, ...acknowledged });
  await again.disconnect();
  await producer.disconnect().catch(() => undefined);
});

test("a node that stops hands over what it leads, and gets it back when it returns", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("handed-over");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 3 }] }),
  );
  const before = await leadersOf(kafka, topic);
  expect(before.toSorted()).toEqual([1, 2, 3]);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const stopped = cluster.node(2).terminate();
  for (let count = 0; count < 30; count++) {
    await producer.send({ topic, acks: -1, messages: [{ partition: count % 3, value: String(count) }] });
  }
  expect(await stopped).toBe(0);
  expect(await leadersOf(kafka, topic)).not.toContain(2);

  cluster.node(2).start();
  await cluster.node(2).untilServing();
  await waitUntil("the leaders as they were", async () => {
    const leaders = await leadersOf(kafka, topic);
    return leaders.join() === before.join();
  });
  await producer.send({ topic, acks: -1, messages: [{ partition: 0, value: "after" }] });
  await producer.disconnect();
});

test("a wiped disk does not come back as the old one", async () => {
  const data = cluster.dataOf(3);
  await cluster.node(3).kill();
  await rm(data, { recursive: true });
  cluster.node(3).start();
  await waitUntil("the refusal", () =>
    [cluster.node(1), cluster.node(2)].some(({ log }) =>
      log.some((line) => line.includes("wiped or replaced")),
    ),
  );
  expect(cluster.node(3).log.some((line) => line.includes('"msg":"serving"'))).toBe(false);
  expect(await cluster.node(3).terminate()).toBe(0);
});

test("a directory of another cluster is refused, and the two that are left go on", async () => {
  const data = cluster.dataOf(3);
  await rm(data, { recursive: true, force: true });
  const alone = await ThreeNodes.start(join(cluster.directory, "other"));
  await alone.node(3).terminate();
  await alone.kill();
  const properties = join(cluster.directory, "node-3", "server.properties");
  const text = await readFile(properties, "utf8");
  await writeFile(properties, text.replace(data, join(cluster.directory, "other", "node-3", "data")));
  cluster.node(3).start();
  await waitUntil("the refusal", () =>
    [1, 2, 3].some((nodeId) => cluster.node(nodeId).log.some((line) => line.includes("belongs to cluster"))),
  );
  await cluster.node(3).kill();

  const kafka = connectTo(cluster);
  const topic = uniqueName("goes-on");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 2 }] }),
  );
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, ...acknowledged });
  await producer.disconnect();
});
