import { expect, test } from "vitest";
import { type Ran, runLine } from "../../unit/src/cli/fake-world.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { shareThreeNodes } from "./shared-nodes.ts";

const cluster = shareThreeNodes({
  "broker.session.timeout.ms": "1500",
  "default.replication.factor": "2",
  "min.insync.replicas": "1",
});

async function cli(...args: string[]): Promise<Ran> {
  return await runLine([...args, "-b", cluster.bootstrapServers.join(","), "--timeout", "20"]);
}

async function cliJson(...args: string[]): Promise<unknown> {
  const { exitCode, output, talk } = await cli(...args, "--json");
  if (exitCode !== 0) throw new Error(`Cannot run "${args.join(" ")}": ${talk}`);
  return JSON.parse(output);
}

async function createAssigned(topic: string, assignments: readonly number[][]): Promise<void> {
  const replicaAssignment = assignments.map((replicas, partition) => ({ partition, replicas }));
  await withAdmin(connectTo(cluster), (admin) =>
    admin.createTopics({ topics: [{ topic, replicaAssignment, numPartitions: -1, replicationFactor: -1 }] }),
  );
}

async function replicasOf(topic: string): Promise<number[][]> {
  const { topics } = await withAdmin(connectTo(cluster), (admin) =>
    admin.fetchTopicMetadata({ topics: [topic] }),
  );
  const partitions = topics[0]?.partitions ?? [];
  return partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ replicas }) => replicas);
}

test("a node in maintenance leads nothing and gets no new replicas, over a restart too, and then leads again", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("spread");
  await createAssigned(topic, [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ]);
  expect(await leadersOf(kafka, topic)).toEqual([1, 2, 3]);

  expect(await cliJson("cluster", "maintenance", "--node", "2", "--on")).toEqual({
    node: 2,
    state: "maintenance",
  });
  await waitUntil("leaders elsewhere", async () => {
    const leaders = await leadersOf(kafka, topic);
    return !leaders.includes(2) && !leaders.includes(-1);
  });
  const later = uniqueName("later");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic: later, numPartitions: 6, replicationFactor: 2 }] }),
  );
  expect((await replicasOf(later)).flat()).not.toContain(2);
  await expect(
    withAdmin(kafka, (admin) =>
      admin.createTopics({ topics: [{ topic: "no", numPartitions: 1, replicationFactor: 3 }] }),
    ),
  ).rejects.toThrow();

  expect(await cluster.node(2).terminate()).toBe(0);
  cluster.node(2).start();
  await cluster.node(2).untilServing();
  expect(await cliJson("cluster")).toMatchObject({
    brokers: [
      { id: 1, state: "active", quorumRole: "voter" },
      { id: 2, state: "maintenance", leaderCount: 0, replicaCount: 3, quorumRole: "voter" },
      { id: 3, state: "active" },
    ],
  });

  expect((await cli("cluster", "maintenance", "--node", "2", "--off")).exitCode).toBe(0);
  await waitUntil("the leaders as they were", async () => (await leadersOf(kafka, topic)).join() === "1,2,3");
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic, later] }));
});

test("a decommission that cannot be is told, and taken back", async () => {
  const topic = uniqueName("everywhere");
  await createAssigned(topic, [[1, 2, 3]]);
  expect(await cliJson("cluster", "decommission", "--node", "3")).toMatchObject({
    ...{ node: 3, state: "decommission", replicaCount: 1, movingCount: 0, stuckCount: 1 },
  });
  await waitUntil("the warning", () =>
    [1, 2, 3].some((nodeId) => cluster.node(nodeId).log.some((line) => line.includes("no other broker can"))),
  );
  expect(await cliJson("cluster", "decommission", "--node", "3", "--cancel")).toMatchObject({
    ...{ state: "active", replicaCount: 1 },
  });
  await withAdmin(connectTo(cluster), (admin) => admin.deleteTopics({ topics: [topic] }));
});

test("a node that is decommissioned is emptied without a loss, stopped and forgotten", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("moving");
  await createAssigned(topic, [[3, 1], [1, 3], [3, 2], [3]]);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let count = 0;
  const produce = async () => {
    await producer.send({ topic, acks: -1, messages: [{ partition: count % 4, value: String(count) }] });
    count += 1;
  };
  while (count < 40) await produce();
  expect((await cli("cluster", "unregister", "--node", "3")).talk).toContain("it is running");

  await cliJson("cluster", "decommission", "--node", "3");
  await waitUntil(
    "an empty node",
    async () => {
      for (let more = 0; more < 8; more++) await produce();
      const status = (await cliJson("cluster", "decommission", "--node", "3", "--status")) as {
        replicaCount: number;
      };
      return status.replicaCount === 0;
    },
    60_000,
  );
  await producer.disconnect();
  const replicas = await replicasOf(topic);
  expect(replicas.map((nodes) => nodes.length)).toEqual([2, 2, 2, 1]);
  expect(replicas.flat()).not.toContain(3);

  expect(await cluster.node(3).terminate()).toBe(0);
  await waitUntil(
    "node 3 forgotten",
    async () => (await cli("cluster", "unregister", "--node", "3")).exitCode === 0,
  );
  expect(await cliJson("cluster")).toMatchObject({ brokers: [{ id: 1 }, { id: 2 }] });
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  expect(offsets.reduce((sum, { high }) => sum + Number(high), 0)).toBe(count);

  // It may come back, as a node that nothing was ever asked of.
  cluster.node(3).start();
  await cluster.node(3).untilServing();
  expect(await cliJson("cluster")).toMatchObject({
    brokers: [{ id: 1 }, { id: 2 }, { id: 3, state: "active", replicaCount: 0 }],
  });
});
