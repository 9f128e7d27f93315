import { expect, test } from "vitest";
import { type FakeNode, HostCluster, proposeByte } from "./host-cluster.ts";

async function ledCluster() {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const [first, second] = cluster.nodes.filter((node) => node !== leader);
  if (!first || !second) throw new Error("Nobody follows");
  await cluster.clock.advance(300);
  return { cluster, leader, first, second };
}

test("a replica whose log has no room for entries still gives its vote", async () => {
  const { cluster, leader, first: full, second } = await ledCluster();
  full.disk.isFull = true;
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(50);
  expect(full.partition(1).data).toEqual([]);
  expect(second.partition(1).data).toEqual([1]);

  leader.crash();
  await cluster.clock.advance(5_000);
  // Without that vote there is no majority.
  expect(second.group(1).role).toBe("leader");
  expect(full.group(1).leaderNodeId).toBe(second.nodeId);
  expect(full.partition(1).data).toEqual([]);
  full.disk.isFull = false;
  await cluster.clock.advance(1_000);
  expect(full.partition(1).data).toEqual([1]);
  expect(second.group(1).isSettledLeader).toBe(true);
});

test("a vote that went ahead of entries is not forgotten in a crash, nor taken back when the entries follow", async () => {
  const { cluster, leader, first: full, second } = await ledCluster();
  full.disk.isFull = true;
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(50);
  leader.crash();
  await cluster.clock.advance(5_000);
  const { term } = second.group(1);
  full.disk.isFull = false;
  await cluster.clock.advance(1_000);
  expect(full.disk.stored(1)?.hardState).toEqual({ term, votedFor: second.host.replica });
  full.crash();
  await cluster.restart(full.nodeId);
  expect(cluster.node(full.nodeId).group(1).term).toBe(term);
});

test("a replica that has most, and no room for what it was sent last, leads without that", async () => {
  const { cluster, leader, first: full, second: behind } = await ledCluster();
  cluster.isolate(behind.nodeId);
  for (const byte of [1, 2]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(50);
  full.disk.takesData = false;
  for (const byte of [3, 4]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(50);
  expect(full.host.proposedBytes).toBeGreaterThan(0);

  // Room comes only with commits, those need a leader, and nobody but this replica can be one.
  leader.crash();
  cluster.isolate(behind.nodeId, false);
  await cluster.clock.advance(8_000);
  expect(cluster.leader(1)).toBe(full);
  expect(full.host.proposedBytes).toBe(0);
  for (const node of [full, behind]) expect(node.partition(1).data).toEqual([1, 2]);

  full.disk.takesData = true;
  proposeByte(full.group(1), 5);
  await cluster.restart(leader.nodeId);
  await cluster.clock.advance(3_000);
  for (const node of cluster.nodes) expect(node.partition(1).data).toEqual([1, 2, 5]);
});

test("what a replica gave up for want of room it does not acknowledge, and takes when it is sent once more", async () => {
  const { cluster, leader, first: full, second } = await ledCluster();
  second.crash();
  full.disk.takesData = false;
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(50);
  cluster.isolate(leader.nodeId);
  await cluster.clock.advance(5_000);
  expect(full.group(1).lastIndex).toBe(1);
  cluster.isolate(leader.nodeId, false);
  full.disk.takesData = true;
  await cluster.clock.advance(3_000);
  const next = await cluster.leaderOf(1);
  proposeByte(next.group(1), 2);
  await cluster.clock.advance(1_000);
  expect(leader.partition(1).data).toEqual(full.partition(1).data);
  expect(leader.partition(1).data.at(-1)).toBe(2);
  expect([...leader.fatal, ...full.fatal]).toEqual([]);
});

test("a leader whose disk does not complete a write within an election timeout makes way", async () => {
  const { cluster, leader } = await ledCluster();
  leader.disk.flush = () => new Promise(() => undefined);
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(6_000);
  expect(leader.group(1).isLeader).toBe(false);
  const next = cluster.leader(1);
  expect(next).toBeDefined();
  expect(next).not.toBe(leader);
  // Nor does it get in the way of the others.
  const term = next?.group(1).term;
  await cluster.clock.advance(10_000);
  expect(cluster.leader(1)?.group(1).term).toBe(term);
});

/** Drops the frames of a node to another, as a full outbox does. */
function dropFrames(node: FakeNode, to: number): () => void {
  const send = node.transport.send.bind(node.transport);
  node.transport.send = (nodeId, frame) => nodeId !== to && send(nodeId, frame);
  return () => {
    node.transport.send = send;
    node.host.outboxDrained(to);
  };
}

test("entries that a full outbox has dropped go as soon as it has drained", async () => {
  const { cluster, leader, first } = await ledCluster();
  // Right behind a round of heartbeats: the next one is far.
  await cluster.clock.advance(100 - (cluster.clock.monotonicMs() % 100) + 1);
  const drain = dropFrames(leader, first.nodeId);
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(10);
  expect(first.partition(1).data).toEqual([]);
  drain();
  await cluster.clock.advance(20);
  expect(first.partition(1).data).toEqual([1]);
});

test("an acknowledgement that a full outbox has dropped goes as soon as it has drained", async () => {
  const { cluster, leader, first, second } = await ledCluster();
  cluster.isolate(second.nodeId);
  await cluster.clock.advance(100 - (cluster.clock.monotonicMs() % 100) + 1);
  const drain = dropFrames(first, leader.nodeId);
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(10);
  expect(leader.partition(1).data).toEqual([]);
  drain();
  await cluster.clock.advance(20);
  expect(leader.partition(1).data).toEqual([1]);
});

test("a leader is one for certain while a majority has answered lately, and in doubt after standing still", async () => {
  const { cluster, leader, first, second } = await ledCluster();
  const group = leader.group(1);
  const isCertain = () => group.hasLedSince(cluster.clock.monotonicMs() - leader.host.leaseMs);
  await cluster.clock.advance(1_000);
  expect(isCertain()).toBe(true);
  cluster.isolate(first.nodeId);
  await cluster.clock.advance(1_000);
  expect(isCertain()).toBe(true);
  cluster.isolate(second.nodeId);
  await cluster.clock.advance(850);
  expect(group.isLeader).toBe(true);
  expect(isCertain()).toBe(false);
  await expect(cluster.clock.until(group.confirmLeadership(cluster.clock.monotonicMs()))).rejects.toThrow(
    "Cannot confirm a read",
  );
});

test("asking a majority clears the doubt", async () => {
  const { cluster, leader } = await ledCluster();
  const group = leader.group(1);
  group.changeLeadership({ role: "leader", term: group.term, leader: leader.host.replica });
  const nowMs = cluster.clock.monotonicMs();
  expect(group.hasLedSince(nowMs)).toBe(false);
  await cluster.clock.until(group.confirmLeadership(nowMs));
  expect(group.hasLedSince(nowMs)).toBe(true);
});
