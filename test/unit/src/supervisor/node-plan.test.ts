import { expect, test } from "vitest";
import type { BrokerConfig } from "#src/config/broker-config.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";
import { type NodePlan, planNodes } from "#src/supervisor/node-plan.ts";

function configOf(args: readonly string[]): BrokerConfig {
  const loaded = loadBrokerConfig({
    args,
    environment: {},
    readFile: () => "",
    hostName: "host-a",
  });
  if (loaded.kind !== "config") throw new Error(JSON.stringify(loaded));
  return loaded.config;
}

async function plan(args: readonly string[], count: number, taken: readonly number[] = []) {
  let next = 40_000;
  return await planNodes({
    base: configOf(args),
    count,
    logDirectory: "data",
    hostName: "host-a",
    freePort: async () => next++,
    isFree: async ({ port }) => !taken.includes(port),
  });
}

async function nodesOf(
  args: readonly string[],
  count: number,
  taken: readonly number[] = [],
): Promise<readonly NodePlan[]> {
  const planned = await plan(args, count, taken);
  if (planned.kind !== "nodes") throw new Error(planned.problems.join());
  return planned.nodes;
}

/** The node's config as its process will read it. */
function configOfNode(args: readonly string[], node: NodePlan | undefined): BrokerConfig {
  return configOf([...args, ...(node?.flags ?? [])]);
}

test("nodes count up from the first one's id and ports, each in a directory of its own", async () => {
  const args = ["--node.id=7", "--listeners=PLAINTEXT://127.0.0.1:9092"];
  const nodes = await nodesOf(args, 3);
  expect(nodes.map(({ nodeId, addresses, logDirectory }) => ({ nodeId, addresses, logDirectory }))).toEqual([
    { nodeId: 7, addresses: ["127.0.0.1:9092"], logDirectory: "data/node-7" },
    { nodeId: 8, addresses: ["127.0.0.1:9093"], logDirectory: "data/node-8" },
    { nodeId: 9, addresses: ["127.0.0.1:9094"], logDirectory: "data/node-9" },
  ]);
  const third = configOfNode(args, nodes[2]);
  expect(third).toMatchObject({
    nodeId: 9,
    rack: "host-a",
    logDirectory: "data/node-9",
    httpListener: { host: "127.0.0.1", port: 9646 },
  });
  expect(third.quorum).toMatchObject({
    listener: { port: 19_094 },
    voters: [
      { nodeId: 7, port: 19_092 },
      { nodeId: 8, port: 19_093 },
      { nodeId: 9, port: 19_094 },
    ],
  });
});

test("one core is one broker, which needs no others", async () => {
  const [node] = await nodesOf([], 1);
  expect(configOfNode([], node).quorum).toBeUndefined();
});

test("a node id under Kafka's old name counts up as well", async () => {
  const args = ["--broker.id=4"];
  const nodes = await nodesOf(args, 2);
  expect(nodes.map((node) => configOfNode(args, node).nodeId)).toEqual([4, 5]);
});

test("listeners that leave the port open get one each that the others know", async () => {
  const args = ["--listeners=PLAINTEXT://127.0.0.1:0"];
  const nodes = await nodesOf(args, 2);
  const configs = nodes.map((node) => configOfNode(args, node));
  const ports = configs.flatMap(({ listeners, quorum }) => [listeners[0]?.port, quorum?.listener.port]);
  expect(new Set(ports).size).toBe(4);
  expect(configs[0]?.quorum?.voters.map(({ port }) => port)).toEqual(
    configs.map(({ quorum }) => quorum?.listener.port),
  );
  expect(configs.map(({ advertisedListeners }) => advertisedListeners[0]?.port)).toEqual(
    configs.map(({ listeners }) => listeners[0]?.port),
  );
});

test("named listeners, advertised addresses and a rack of the operator's stay, their ports count up", async () => {
  const args = [
    "--listeners=INSIDE://:9092,OUTSIDE://:9192,CONTROL://10.0.0.1:9292",
    "--listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROL:PLAINTEXT",
    "--advertised.listeners=INSIDE://10.0.0.1:9092,OUTSIDE://example.org:7000",
    "--controller.listener.names=CONTROL",
    "--broker.rack=cellar",
  ];
  const nodes = await nodesOf(args, 2);
  expect(nodes[1]?.addresses).toEqual(["10.0.0.1:9093", "example.org:7001"]);
  expect(configOfNode(args, nodes[1])).toMatchObject({
    rack: "cellar",
    listeners: [
      { name: "INSIDE", host: "", port: 9093 },
      { name: "OUTSIDE", host: "", port: 9193 },
    ],
    quorum: { listener: { name: "CONTROL", port: 9293 }, voters: [{ host: "10.0.0.1", port: 9292 }, {}] },
  });
});

test("an operator who names the voters has other hosts, too, and keeps them", async () => {
  const args = [
    "--node.id=11",
    "--listeners=PLAINTEXT://10.0.0.1:9092,CONTROLLER://10.0.0.1:9192",
    "--controller.listener.names=CONTROLLER",
    "--controller.quorum.voters=11@10.0.0.1:9192,12@10.0.0.1:9193,21@10.0.0.2:9192",
  ];
  const nodes = await nodesOf(args, 2);
  const voters = configOfNode(args, nodes[1]).quorum?.voters.map(({ nodeId }) => nodeId);
  expect(voters).toEqual([11, 12, 21]);
});

test("an operator who names addresses has the nodes ask there who votes, with what roles they were given", async () => {
  const args = [
    "--controller.quorum.bootstrap.servers=host-a:9093,host-b:9093,host-c:9093",
    "--listeners=PLAINTEXT://host-a:9090,CONTROLLER://host-a:9093",
    "--controller.listener.names=CONTROLLER",
  ];
  const nodes = await nodesOf(args, 2);
  for (const node of nodes) {
    const config = configOfNode(args, node);
    expect(config).toMatchObject({ isBroker: true, isController: true });
    expect(config.quorum).toMatchObject({
      voters: [],
      servers: [
        { host: "host-a", port: 9093 },
        { host: "host-b", port: 9093 },
        { host: "host-c", port: 9093 },
      ],
    });
  }
});

test("one core of a host among several is still a node of their cluster", async () => {
  const args = [
    "--listeners=PLAINTEXT://10.0.0.1:9092,CONTROLLER://10.0.0.1:9192",
    "--controller.quorum.voters=1@10.0.0.1:9192,2@10.0.0.2:9192,3@10.0.0.3:9192",
  ];
  const [node] = await nodesOf(args, 1);
  expect(configOfNode(args, node).quorum?.listener.port).toBe(9192);
});

test("nodes beyond the third do not vote, and voters that listen everywhere are reached over loopback", async () => {
  const nodes = await nodesOf(["--listeners=PLAINTEXT://:9092,CONTROLLER://:9192"], 4);
  expect(nodes.map(({ flags }) => flags.find((flag) => flag.startsWith("--process.roles=")))).toEqual([
    ...[1, 2, 3].map(() => "--process.roles=broker,controller"),
    "--process.roles=broker",
  ]);
  expect(nodes[3]?.flags).toContain(
    "--controller.quorum.voters=1@127.0.0.1:9192,2@127.0.0.1:9193,3@127.0.0.1:9194",
  );
});

test("ports that run into each other, or out of range, are refused with the two listeners' names", async () => {
  const kafkas = [
    "--listeners=PLAINTEXT://:9092,CONTROLLER://:9093",
    "--controller.listener.names=CONTROLLER",
  ];
  expect(await plan(kafkas, 2)).toEqual({
    kind: "problems",
    problems: [
      "Cannot open listener PLAINTEXT of node 2: listener CONTROLLER of node 1 has port 9093; leave as many ports between listeners as there are nodes",
    ],
  });
  expect(await plan(["--listeners=PLAINTEXT://:65535"], 2)).toMatchObject({ kind: "problems" });
});

test("metrics move to a free port where the default is taken, and stay off where they are off", async () => {
  const httpOf = async (args: readonly string[], taken: readonly number[]) => {
    const nodes = await nodesOf(args, 2, taken);
    return nodes.map((node) => configOfNode(args, node).httpListener?.port);
  };
  expect(await httpOf([], [9645])).toEqual([9644, 0]);
  expect(await httpOf(["--millrace.http.listener=127.0.0.1:7000"], [7001])).toEqual([7000, 7001]);
  expect(await httpOf(["--millrace.http.listener=off"], [])).toEqual([undefined, undefined]);
});
