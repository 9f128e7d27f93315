import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { waitUntil } from "../wait-until.ts";
import { Supervised } from "./supervised.ts";

const { Kafka, logLevel } = kafkajs;
const stopMsMax = 30_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a local cluster of three takes records, restarts a killed node, and stops as one", async () => {
  await using directory = await temporaryDirectory();
  const port = await freePort();
  await using cluster = new Supervised([
    "--local-cluster",
    `--listeners=PLAINTEXT://127.0.0.1:${port}`,
    `--log.dirs=${directory.path}/cluster`,
  ]);
  const servers = (await cluster.until("Bootstrap servers: ")).slice("Bootstrap servers: ".length).split(",");
  expect(servers).toEqual([0, 1, 2].map((offset) => `127.0.0.1:${port + offset}`));
  const pids = [1, 2, 3].map((nodeId) => cluster.pidOf(nodeId));
  const kafka = new Kafka({ brokers: servers, logLevel: logLevel.NOTHING, retry: { retries: 30 } });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "orders", numPartitions: 3 }] });
  const { topics } = await admin.fetchTopicMetadata({ topics: ["orders"] });
  expect(topics[0]?.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3]);

  process.kill(pids[1] ?? 0, "SIGKILL");
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic: "orders",
    acks: -1,
    messages: [0, 1, 2].map((partition) => ({ partition, value: "x" })),
  });
  await producer.disconnect();
  await admin.disconnect();
  await cluster.until("Node 2 serves again");

  cluster.signal("SIGTERM");
  expect(await cluster.ended).toBe(0);
  expect(pids.map(isAlive)).toEqual([false, false, false]);
}, 120_000);

test("nodes do not outlive a supervisor that is killed", async () => {
  await using directory = await temporaryDirectory();
  const port = await freePort();
  const supervisor = new Supervised([
    "--cores=2",
    `--listeners=PLAINTEXT://127.0.0.1:${port}`,
    `--log.dirs=${directory.path}`,
  ]);
  const line = await supervisor.until("all nodes serve");
  const { nodes } = JSON.parse(line) as { nodes: { pid: number }[] };
  expect(nodes).toHaveLength(2);
  supervisor.signal("SIGKILL");
  await waitUntil("the nodes' end", () => nodes.every(({ pid }) => !isAlive(pid)), stopMsMax);
}, 120_000);

test("a mistake in the configs is told once, and nothing starts", async () => {
  await using directory = await temporaryDirectory();
  const supervisor = new Supervised(["--cores=3", `--log.dirs=${directory.path}`, "--num.partitions=none"]);
  expect(await supervisor.ended).toBe(2);
  expect(supervisor.lines).toHaveLength(1);
  expect(supervisor.lines[0]).toContain("num.partitions");
}, 60_000);

test("the directory of a node that was alone is not taken for several", async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, "meta.properties"), "version=1\nnode.id=1\n");
  const supervisor = new Supervised(["--cores=3", `--log.dirs=${directory.path}`]);
  expect(await supervisor.ended).toBe(2);
  expect(supervisor.lines).toEqual([
    `millrace: Cannot keep the data of 3 nodes in "${directory.path}": it holds the data of a node that was started alone`,
  ]);
}, 60_000);

test("a node that cannot start ends all of them with the reason", async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, "node-2"), "not a directory");
  const port = await freePort();
  const supervisor = new Supervised([
    "--cores=3",
    `--listeners=PLAINTEXT://127.0.0.1:${port}`,
    `--log.dirs=${directory.path}`,
  ]);
  expect(await supervisor.ended).toBe(1);
  const refusal = supervisor.lines.find((line) => line.includes("a node cannot start"));
  expect(JSON.parse(refusal ?? "{}")).toMatchObject({ node: 2, code: 1 });
}, 60_000);
