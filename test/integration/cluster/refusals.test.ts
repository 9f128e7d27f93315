import { randomBytes } from "node:crypto";
import { cp, rename, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { FrameEncoder } from "#raft/transport/frame-encoder.ts";
import { encodeHello } from "#raft/transport/handshake.ts";
import { freePort } from "../free-port.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo } from "./cluster-admin.ts";
import { extraBroker, extraNode } from "./extra-node.ts";
import { shareThreeNodes } from "./shared-nodes.ts";
import { type ClusterNode, ThreeNodes } from "./three-nodes.ts";

const cluster = shareThreeNodes();

/** A second node with the id of one of the three, on other ports, beside it. */
async function double(nodeId: number, data: string): Promise<ClusterNode> {
  const [port, peers] = [await freePort(), await freePort()];
  const node = await extraNode(join(cluster.directory, uniqueName("double")), {
    nodeId,
    port,
    settings: {
      "controller.quorum.voters": await cluster.settingOf(1, "controller.quorum.voters"),
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${peers}`,
      "log.dirs": data,
    },
  });
  cluster.invite(node);
  return node;
}

const levels = { warn: 40, error: 50 } as const;

/** Waits for a line of the log that has the words at the level. */
async function said(node: ClusterNode, level: keyof typeof levels, words: string): Promise<void> {
  await waitUntil(`node ${node.nodeId} saying "${words}"`, () =>
    node.log.some((line) => line.includes(`"level":${levels[level]}`) && line.includes(words)),
  );
}

const isServing = (node: ClusterNode) => node.log.some((line) => line.includes('"msg":"serving"'));

/** The three are connected, lead and acknowledge, and none of them has gone down meanwhile. */
async function expectUnharmed(nodeIds: readonly number[] = [1, 2, 3]): Promise<void> {
  const kafka = connectTo(cluster);
  const topic = uniqueName("unharmed");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: nodeIds.length }] }),
  );
  const producer = kafka.producer();
  await producer.connect();
  const messages = [0, 1, 2].map((partition) => ({ partition, value: "x" }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
  for (const nodeId of nodeIds) expect(cluster.node(nodeId).isRunning).toBe(true);
}

/** How often any of the three has lost another. */
const losses = () =>
  [1, 2, 3].flatMap((nodeId) =>
    cluster.node(nodeId).log.filter((line) => line.includes("lost the connection")),
  ).length;

describe("a second node with the id of one that lives", () => {
  test("is kept out where it comes with a disk of its own", async () => {
    const lossesBefore = losses();
    const node = await double(3, join(cluster.directory, "fresh"));
    node.start();
    await said(node, "error", "another data directory than the one that it is registered with");
    await said(cluster.node(1), "warn", "another data directory than the one that it is registered with");
    expect(isServing(node)).toBe(false);
    expect(await node.terminate()).toBe(0);
    expect(losses()).toBe(lossesBefore);
    await expectUnharmed();
  });

  test("is kept out where it comes with a copy of the other's disk", async () => {
    const lossesBefore = losses();
    const copy = join(cluster.directory, "copy");
    await cp(cluster.dataOf(3), copy, {
      recursive: true,
      filter: (path) => !basename(path).startsWith(".lock"),
    });
    const node = await double(3, copy);
    node.start();
    await said(node, "error", "another process with this id is connected");
    await said(cluster.node(1), "warn", "another process with this id is connected");
    expect(isServing(node)).toBe(false);
    expect(await node.terminate()).toBe(0);
    expect(losses()).toBe(lossesBefore);
    await expectUnharmed();
  });
});

describe("a node with an older state of its disk", () => {
  test("is kept out, and let in again with the right one", async () => {
    const node = cluster.node(3);
    const [backup, right] = [join(cluster.directory, "backup"), join(cluster.directory, "right")];
    await node.terminate();
    await cp(cluster.dataOf(3), backup, { recursive: true });
    node.start();
    await node.untilServing();
    await expectUnharmed();
    await node.terminate();
    await rename(cluster.dataOf(3), right);
    await rename(backup, cluster.dataOf(3));
    node.start();
    await said(node, "error", "an older state of the one that it is registered with");
    await said(cluster.node(1), "warn", "an older state of the one that it is registered with");
    expect(isServing(node)).toBe(false);
    expect(await node.terminate()).toBe(0);
    await expectUnharmed([1, 2]);

    await rm(cluster.dataOf(3), { recursive: true });
    await rename(right, cluster.dataOf(3));
    node.start();
    await node.untilServing();
    await expectUnharmed();
  });
});

describe("a node of another cluster", () => {
  test("is kept out, wherever it is pointed", async () => {
    const alone = await ThreeNodes.start(join(cluster.directory, "elsewhere"));
    await alone.kill();
    const voters = await cluster.settingOf(1, "controller.quorum.voters");
    // A directory that knows its cluster, and the addresses of this one.
    const data = join(cluster.directory, "elsewhere", "node-3", "data");
    const stranger = await double(3, data);
    stranger.start();
    await said(stranger, "error", "it belongs to cluster");
    await said(cluster.node(1), "warn", "it belongs to cluster");
    expect(isServing(stranger)).toBe(false);
    expect(await stranger.terminate()).toBe(0);
    expect(voters).not.toBe("");
    await expectUnharmed();
  });

  test("is one that takes itself for a voter and is none", async () => {
    const [port, peers] = [await freePort(), await freePort()];
    const node = await extraNode(join(cluster.directory, "fifth"), {
      nodeId: 5,
      port,
      settings: {
        "controller.quorum.voters": `${await cluster.settingOf(1, "controller.quorum.voters")},5@127.0.0.1:${peers}`,
        listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${peers}`,
      },
    });
    cluster.invite(node);
    node.start();
    await said(node, "error", "it takes itself for a voter of the metadata group, and is none");
    await said(cluster.node(1), "warn", "it takes itself for a voter of the metadata group, and is none");
    expect(isServing(node)).toBe(false);
    expect(await node.terminate()).toBe(0);
    await expectUnharmed();
  });
});

function helloOf(versions: { versionMin: number; versionMax: number }): Buffer {
  const from = { nodeId: 2, incarnation: 0, clusterId: "" };
  const encoder = new FrameEncoder(crc32c);
  return Buffer.concat(encodeHello({ ...versions, from, toNodeId: 1 }, encoder).pieces);
}

/** Connects, says something and collects what comes until the other side hangs up. */
async function say(port: number, bytes: Uint8Array): Promise<Buffer> {
  const received: Buffer[] = [];
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("data", (chunk) => received.push(chunk));
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(bytes);
  await closed;
  return Buffer.concat(received);
}

describe("on the port between nodes", () => {
  test("a node that speaks newer versions alone is told so", async () => {
    const answer = await say(await cluster.controllerPortOf(1), helloOf({ versionMin: 7, versionMax: 9 }));
    expect(answer.toString("latin1")).toContain("it speaks versions 7 to 9 of the protocol between nodes");
    await said(cluster.node(1), "warn", "it speaks versions 7 to 9 of the protocol between nodes");
    await expectUnharmed();
  });

  test.each<[string, Buffer]>([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    [
      "a Kafka client",
      Buffer.from("0000002300120004000000010009" + "6b61666b612d6a7300126b61666b612d6a61766100", "hex"),
    ],
    ["TLS", Buffer.from("16030100c8010000c40303aabbccddeeff00112233", "hex")],
    ["noise", randomBytes(64 << 10)],
    // The beginning of a hello, and then a size of gigabytes.
    [
      "a huge frame",
      Buffer.concat([helloOf({ versionMin: 1, versionMax: 1 }).subarray(0, 4), Buffer.alloc(12, 0x7f)]),
    ],
  ])("%s is hung up on without a word", async (_, bytes) => {
    expect(await say(await cluster.controllerPortOf(1), bytes)).toEqual(Buffer.alloc(0));
    await said(cluster.node(1), "warn", "Cannot go on listening to 127.0.0.1");
  });

  test("a crowd of strangers that say nothing is bounded, and the nodes go on", async () => {
    const port = await cluster.controllerPortOf(1);
    const lossesBefore = losses();
    const sockets: Socket[] = [];
    for (let count = 0; count < 500; count++) {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => undefined);
      socket.resume();
      sockets.push(socket);
    }
    await waitUntil("the others hung up on", () => sockets.filter(({ closed }) => !closed).length <= 64);
    await expectUnharmed();
    expect(losses()).toBe(lossesBefore);
    await waitUntil("all hung up on", () => sockets.every(({ closed }) => closed));
    const lines = cluster.node(1).log.filter((line) => line.includes("have not said who they are"));
    expect(lines.length).toBeLessThanOrEqual(20);
  });

  test("a Kafka client that takes it for a broker gets nowhere", async () => {
    const port = await cluster.controllerPortOf(1);
    const lost = connectTo({ bootstrapServers: [`127.0.0.1:${port}`] }).admin();
    const connecting = lost.connect();
    connecting.catch(() => undefined);
    await sleep(500);
    await lost.disconnect();
    await expectUnharmed();
  });
});

test("a broker of another cluster's directory is refused like a voter", async () => {
  const voters = await cluster.settingOf(1, "controller.quorum.voters");
  const broker = await extraBroker(cluster.directory, {
    nodeId: 6,
    voters,
    settings: { "log.dirs": join(cluster.directory, "elsewhere", "node-6") },
  });
  cluster.invite(broker);
  broker.start();
  await broker.untilServing();
  await broker.terminate();
  await rm(join(cluster.directory, "elsewhere", "node-6"), { recursive: true });
  broker.start();
  await said(broker, "error", "another data directory than the one that it is registered with");
  expect(await broker.terminate()).toBe(0);
});
