import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { nodeStateOf } from "#src/cluster/metadata/node-state.ts";
import { BrokerWorld } from "../broker-world.ts";

let world: BrokerWorld;
beforeAll(async () => {
  world = await BrokerWorld.start();
  // Another node, which nobody can reach.
  await world.clock.until(
    world.broker.metadata.propose({
      ...{ kind: "registerBroker", nodeId: 2, incarnation: "i", rack: "", directoryId: "", isFenced: true },
      endpoints: [{ listener: "PLAINTEXT", host: "h", port: 1 }],
    }),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

async function set(broker: string, configs: Readonly<Record<string, string>>): Promise<number> {
  const { responses } = await world.call(IncrementalAlterConfigs, 1, {
    resources: [
      {
        ...{ resourceType: 4, resourceName: broker },
        configs: Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value })),
      },
    ],
    validateOnly: false,
  });
  return responses[0]?.errorCode ?? -1;
}

async function describe(broker: string, configurationKeys: string[] | null) {
  const { results } = await world.call(DescribeConfigs, 4, {
    resources: [{ resourceType: 4, resourceName: broker, configurationKeys }],
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return results[0];
}

test("the state of a node that is down is set and told by another one", async () => {
  expect(await set("2", { "millrace.node.state": "decommission" })).toBe(ErrorCode.none);
  expect(nodeStateOf(world.broker.metadata.image, 2)).toBe("decommission");
  expect(nodeStateOf(world.broker.metadata.image, 1)).toBe("active");
  const told = await describe("2", ["millrace.node.state"]);
  expect(told?.configs.map(({ value }) => value)).toEqual(["decommission"]);
  const own = await describe("1", ["millrace.node.state"]);
  expect(own?.configs.map(({ value }) => value)).toEqual(["active"]);
});

test.each([
  ["2", { "log.cleaner.threads": "2" }],
  ["2", { "millrace.node.state": "active", "log.cleaner.threads": "2" }],
  ["2", { "millrace.node.state": "asleep" }],
  ["3", { "millrace.node.state": "maintenance" }],
  // It is of one node.
  ["", { "millrace.node.state": "maintenance" }],
] as const)("broker %j does not take %j here", async (broker, configs) => {
  expect(await set(broker, configs)).toBe(ErrorCode.invalidRequest);
});

test("other configs of another node are not told", async () => {
  expect((await describe("2", null))?.errorCode).toBe(ErrorCode.invalidRequest);
  expect((await describe("2", ["log.cleaner.threads"]))?.errorCode).toBe(ErrorCode.invalidRequest);
});

test("brokers that are gone are told to who asks for them", async () => {
  const plain = await world.call(DescribeCluster, 2, {});
  expect(plain.brokers.map(({ brokerId }) => brokerId)).toEqual([1]);
  const all = await world.call(DescribeCluster, 2, { includeFencedBrokers: true });
  expect(all.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
    [1, false],
    [2, true],
  ]);
});
