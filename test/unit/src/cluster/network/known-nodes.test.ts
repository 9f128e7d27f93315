import { expect, test } from "vitest";
import type { BrokerRegistration } from "#src/cluster/metadata/metadata-command.ts";
import { KnownNodes } from "#src/cluster/network/known-nodes.ts";

const voters = [
  { nodeId: 1, host: "a", port: 1 },
  { nodeId: 2, host: "b", port: 2 },
];

const learned = [{ nodeId: 5, host: "before", port: 5 }];

function registered(nodeId: number, peerHost: string, peerPort: number): BrokerRegistration {
  const rest = { incarnation: "", rack: "", endpoints: [], directoryId: "", isFenced: false };
  return { nodeId, ...rest, peerHost, peerPort };
}

function world(registrations: BrokerRegistration[] = []) {
  return new KnownNodes({ nodeId: 1, voters, learned: () => learned, registrations: () => registrations });
}

const identity = (nodeId: number) => ({ nodeId, incarnation: 0, clusterId: "" });
const card = (host: string, port: number) => ({
  ...{ host, port, generation: 1, isVoter: false },
  ...{ isController: false, voters: [] },
});

test("what the operator wrote counts most, then what a node says of itself, then where it was registered", () => {
  const nodes = world([registered(2, "elsewhere", 9), registered(4, "d", 4), registered(5, "e", 5)]);
  expect(nodes.introduce(identity(2), card("elsewhere", 9))).toBe(false);
  expect(nodes.introduce(identity(4), card("moved", 44))).toBe(true);
  expect(nodes.introduce(identity(4), card("moved", 44))).toBe(false);
  expect([...nodes.places()].toSorted()).toEqual([
    [2, { host: "b", port: 2 }],
    [4, { host: "moved", port: 44 }],
    [5, { host: "e", port: 5 }],
  ]);
});

test("who does not say where it is reached is not looked for", () => {
  const nodes = world();
  expect(nodes.introduce(identity(4), card("", 4))).toBe(false);
  expect(nodes.introduce(identity(4), card("d", 0))).toBe(false);
  expect([...nodes.places().keys()]).toEqual([5, 2]);
});

test("who comes and goes without registering is forgotten, and no crowd of them is kept", () => {
  const nodes = world([registered(4, "d", 4)]);
  nodes.introduce(identity(4), card("moved", 44));
  for (let nodeId = 100; nodeId < 200; nodeId++) nodes.introduce(identity(nodeId), card("x", nodeId));
  expect(nodes.places().size).toBe(3 + 16);
  expect(nodes.places().has(199)).toBe(true);
  nodes.lost(199);
  nodes.lost(4);
  expect(nodes.places().has(199)).toBe(false);
  expect(nodes.places().get(4)).toEqual({ host: "moved", port: 44 });
});
