import { beforeAll, expect, test } from "vitest";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { extraBroker } from "./extra-node.ts";
import { shareThreeNodes } from "./shared-nodes.ts";
import type { ClusterNode } from "./three-nodes.ts";

const cluster = shareThreeNodes({ "broker.session.timeout.ms": "1500" });
let fourth: ClusterNode;

beforeAll(async () => {
  const voters = await cluster.settingOf(1, "controller.quorum.voters");
  fourth = cluster.invite(await extraBroker(cluster.directory, { nodeId: 4, voters }));
});

async function brokersSeenBy(address: string): Promise<number[]> {
  const { brokers } = await withAdmin(connectTo(cluster, [address]), (admin) => admin.describeCluster());
  return brokers.map(({ nodeId }) => nodeId).toSorted();
}

async function replicasOf(topic: string): Promise<number[][]> {
  const { topics } = await withAdmin(connectTo(cluster), (admin) =>
    admin.fetchTopicMetadata({ topics: [topic] }),
  );
  return (topics[0]?.partitions ?? []).map(({ replicas }) => replicas);
}

async function produceTo(addresses: string[], topic: string, partitionCount: number): Promise<void> {
  const producer = connectTo(cluster, addresses).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let partition = 0; partition < partitionCount; partition++) {
    await producer.send({ topic, acks: -1, messages: [{ partition, value: `of ${partition}` }] });
  }
  await producer.disconnect();
}

test("a broker without a vote joins a cluster that runs, and gets replicas of new topics", async () => {
  fourth.start();
  await fourth.untilServing();
  for (const address of [...cluster.bootstrapServers, fourth.address]) {
    await waitUntil(`four brokers at ${address}`, async () => (await brokersSeenBy(address)).length === 4);
  }
  const topic = uniqueName("four");
  const kafka = connectTo(cluster, [fourth.address]);
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 8, replicationFactor: 3 }] }),
  );
  const replicas = await replicasOf(topic);
  for (const nodeId of [1, 2, 3, 4]) {
    expect(replicas.filter((nodes) => nodes.includes(nodeId)).length).toBe(6);
  }
  await waitUntil("leaders on all four", async () => new Set(await leadersOf(kafka, topic)).size === 4);
  await produceTo([fourth.address], topic, 8);
});

test("it comes back after a crash with what it had, and follows what happened meanwhile", async () => {
  await fourth.kill();
  await waitUntil("three brokers", async () => {
    const [address = ""] = cluster.bootstrapServers;
    return (await brokersSeenBy(address)).length === 3;
  });
  const topic = uniqueName("meanwhile");
  await withAdmin(connectTo(cluster), (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 3 }] }),
  );
  expect((await replicasOf(topic)).flat()).not.toContain(4);
  fourth.start();
  await fourth.untilServing();
  await produceTo([fourth.address], topic, 3);
  await waitUntil("four brokers", async () => (await brokersSeenBy(fourth.address)).length === 4);
});

test("it does not count for the majority: with two voters gone nothing is changed, with one it is", async () => {
  const change = async (retries?: number) => {
    const topic = uniqueName("change");
    await withAdmin(connectTo(cluster, [fourth.address], retries), (admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], timeout: 3_000 }),
    );
  };
  await cluster.node(1).kill();
  await waitUntil("a change with two of three voters", () =>
    change().then(
      () => true,
      () => false,
    ),
  );
  await cluster.node(2).kill();
  await expect(change(5)).rejects.toThrow();
  cluster.node(1).start();
  cluster.node(2).start();
  await Promise.all([cluster.node(1).untilServing(), cluster.node(2).untilServing()]);
  await change();
});
