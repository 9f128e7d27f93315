import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo } from "./cluster-admin.ts";
import { extraNode } from "./extra-node.ts";
import type { ClusterNode } from "./three-nodes.ts";

let directory: TemporaryDirectory;
const nodes = new Map<number, ClusterNode>();
const controllerPorts = new Map<number, number>();

beforeAll(async () => {
  directory = await temporaryDirectory();
  for (const nodeId of [1, 2, 3, 8, 9]) controllerPorts.set(nodeId, await freePort());
  for (const nodeId of [1, 2, 3]) await prepare(nodeId, [1, 2, 3]);
});
afterAll(async () => {
  await Promise.all([...nodes.values()].map((node) => node.kill()));
  await directory?.[Symbol.asyncDispose]();
});

/** The properties of a node that is given the controllers' addresses without their ids. */
async function prepare(
  nodeId: number,
  servers: readonly number[],
  roles = "broker,controller",
): Promise<ClusterNode> {
  const port = await freePort();
  const controller = controllerPorts.has(nodeId)
    ? `,CONTROLLER://127.0.0.1:${controllerPorts.get(nodeId)}`
    : "";
  const node = await extraNode(directory.path, {
    nodeId,
    port,
    settings: {
      "process.roles": roles,
      "controller.quorum.bootstrap.servers": servers
        .map((server) => `127.0.0.1:${controllerPorts.get(server)}`)
        .join(","),
      listeners: `PLAINTEXT://127.0.0.1:${port}${controller}`,
      "controller.listener.names": "CONTROLLER",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
      "default.replication.factor": "3",
      "offsets.topic.replication.factor": "3",
    },
  });
  nodes.set(nodeId, node);
  return node;
}

function node(nodeId: number): ClusterNode {
  const found = nodes.get(nodeId);
  if (!found) throw new Error(`Cannot find node ${nodeId}`);
  return found;
}

const client = (nodeId: number) => connectTo({ bootstrapServers: [node(nodeId).address] });

async function brokersSeenBy(nodeId: number): Promise<number[]> {
  const { brokers } = await withAdmin(client(nodeId), (admin) => admin.describeCluster());
  return brokers.map((broker) => broker.nodeId).toSorted();
}

test("three nodes that know each other's addresses alone found a cluster, once all three are there", async () => {
  node(1).start();
  node(2).start();
  await waitUntil(
    "a node that waits",
    () => node(1).log.some((line) => line.includes("waiting for controller.quorum.bootstrap.servers")),
    20_000,
  );
  node(3).start();
  await Promise.all([1, 2, 3].map((nodeId) => node(nodeId).untilServing()));
  for (const nodeId of [1, 2, 3]) expect(await brokersSeenBy(nodeId)).toEqual([1, 2, 3]);
  const topic = uniqueName("founded");
  await withAdmin(client(2), (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 3 }] }),
  );
});

test("they find each other again after all have crashed, and two are enough", async () => {
  await Promise.all([1, 2, 3].map((nodeId) => node(nodeId).kill()));
  node(1).start();
  node(3).start();
  await Promise.all([node(1).untilServing(), node(3).untilServing()]);
  await withAdmin(client(3), async (admin) => {
    expect((await admin.listTopics()).some((topic) => topic.startsWith("founded"))).toBe(true);
  });
});

test("further nodes join as brokers while one of those named is away, whether they might be controllers or not", async () => {
  await prepare(4, [1, 2, 3], "broker");
  await prepare(9, [1, 2, 3]);
  for (const nodeId of [4, 9]) node(nodeId).start();
  await Promise.all([4, 9].map((nodeId) => node(nodeId).untilServing()));
  await waitUntil("four brokers", async () => {
    const brokers = await brokersSeenBy(9);
    return brokers.join() === "1,3,4,9" || brokers.join() === "1,2,3,4,9";
  });
  node(2).start();
  await node(2).untilServing();
  await waitUntil("five brokers", async () => (await brokersSeenBy(4)).join() === "1,2,3,4,9");
});

test("a node that names another's cluster and would have nothing to do in it ends with the reason", async () => {
  const idle = await extraNode(directory.path, {
    nodeId: 8,
    settings: {
      "process.roles": "controller",
      "controller.quorum.bootstrap.servers": `127.0.0.1:${controllerPorts.get(1)}`,
      listeners: `CONTROLLER://127.0.0.1:${controllerPorts.get(8)}`,
      "controller.listener.names": "CONTROLLER",
    },
  });
  idle.start();
  await waitUntil("its end", () => !idle.isRunning, 20_000);
  expect(idle.log.join("\n")).toContain("has its controllers already, and node 8 is none of them");
});
