import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { extraBroker, extraNode } from "./extra-node.ts";
import type { ClusterNode } from "./three-nodes.ts";

let directory: TemporaryDirectory;
let controllers: ClusterNode[] = [];
let brokers: ClusterNode[] = [];

const all = (): ClusterNode[] => [...controllers, ...brokers];
const connect = (addresses = brokers.map(({ address }) => address)) =>
  connectTo({ bootstrapServers: addresses });

beforeAll(async () => {
  directory = await temporaryDirectory();
  const places = await Promise.all([1, 2, 3].map(async (nodeId) => ({ nodeId, port: await freePort() })));
  const voters = places.map(({ nodeId, port }) => `${nodeId}@127.0.0.1:${port}`).join(",");
  controllers = await Promise.all(
    places.map(({ nodeId, port }) =>
      extraNode(directory.path, {
        nodeId,
        settings: {
          "process.roles": "controller",
          "controller.quorum.voters": voters,
          listeners: `CONTROLLER://127.0.0.1:${port}`,
          "controller.listener.names": "CONTROLLER",
          "broker.session.timeout.ms": "1500",
        },
      }),
    ),
  );
  const settings = { "default.replication.factor": "2", "offsets.topic.replication.factor": "2" };
  brokers = await Promise.all(
    [4, 5].map((nodeId) => extraBroker(directory.path, { nodeId, voters, settings })),
  );
  for (const node of all()) node.start();
  await Promise.all(all().map((node) => node.untilServing()));
});
afterAll(async () => {
  await Promise.all(all().map((node) => node.kill()));
  await directory?.[Symbol.asyncDispose]();
});

test("controllers alone are no brokers: clients are not sent to them, and nothing is placed on them", async () => {
  const topic = uniqueName("roles");
  await withAdmin(connect(), async (admin) => {
    const cluster = await admin.describeCluster();
    expect(cluster.brokers.map(({ nodeId }) => nodeId).toSorted()).toEqual([4, 5]);
    // Clients bring administrative requests to whom they take for the controller.
    expect([4, 5]).toContain(cluster.controller);
    await admin.createTopics({ topics: [{ topic, numPartitions: 4, replicationFactor: 2 }] });
    const tooMany = { topic: uniqueName("many"), numPartitions: 1, replicationFactor: 3 };
    await expect(admin.createTopics({ topics: [tooMany] })).rejects.toThrow();
  });
  expect((await leadersOf(connect(), topic)).toSorted()).toEqual([4, 4, 5, 5]);
});

test("brokers go on while a controller is gone, and without a majority of them what is there goes on", async () => {
  const topic = uniqueName("survives");
  const create = (name: string, timeout = 30_000) =>
    withAdmin(connect(), (admin) =>
      admin.createTopics({ topics: [{ topic: name, numPartitions: 2, replicationFactor: 2 }], timeout }),
    );
  await controllers[0]?.kill();
  await create(topic);
  await controllers[1]?.kill();
  await expect(create(uniqueName("refused"), 2_000)).rejects.toThrow();
  const producer = connect().producer();
  await producer.connect();
  await producer.send({
    topic,
    acks: -1,
    messages: [
      { partition: 0, value: "a" },
      { partition: 1, value: "b" },
    ],
  });
  await producer.disconnect();
  for (const controller of controllers.slice(0, 2)) {
    controller.start();
    await controller.untilServing();
  }
  await create(uniqueName("again"));
});

test("a group commits its offsets where no controller is a broker", async () => {
  const topic = uniqueName("grouped");
  await withAdmin(connect(), (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 2 }] }),
  );
  const producer = connect().producer();
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ value: "x" }] });
  await producer.disconnect();
  const consumer = connect().consumer({ groupId: uniqueName("group"), maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const read = await new Promise<string>((resolve) => {
    void consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) });
  });
  expect(read).toBe("x");
  await consumer.disconnect();
});
