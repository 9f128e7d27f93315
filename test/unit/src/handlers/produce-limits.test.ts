import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { batchOf } from "../broker-world.ts";
import { ClusterWorld, type WorldNode } from "../cluster-world.ts";

async function clusterOf(configs: Record<string, string> = {}) {
  const cluster = await ClusterWorld.start();
  await cluster.createTopic("t", configs);
  const leader = await cluster.leaderOf("t");
  const [first, second] = await cluster.followersOf("t");
  if (!first || !second) throw new Error("Nobody follows");
  return { cluster, leader, first, second };
}

/** Begins to produce a batch; answers its code and when that came. */
async function begin({ world }: WorldNode, batch: Uint8Array, { timeoutMs = 30_000, acks = -1 } = {}) {
  const { responses } = await world.begin(Produce, 9, {
    transactionalId: null,
    ...{ acks, timeoutMs },
    topicData: [{ name: "t", partitionData: [{ index: 0, records: batch }] }],
  });
  const answer = responses[0]?.partitionResponses[0];
  return { errorCode: answer?.errorCode, baseOffset: answer?.baseOffset, atMs: world.clock.monotonicMs() };
}

test("a produce of acks=all waits no longer than its timeout, and its batch may be committed all the same", async () => {
  const { cluster, leader, first, second } = await clusterOf();
  await using _ = cluster;
  cluster.pause(first.nodeId);
  cluster.pause(second.nodeId);
  const startedMs = cluster.clock.monotonicMs();
  const batch = () => batchOf(["a"], { producerId: 5, producerEpoch: 0, baseSequence: 0 });
  const { errorCode, baseOffset, atMs } = await cluster.clock.until(
    begin(leader, batch(), { timeoutMs: 300 }),
  );
  expect({ errorCode, baseOffset }).toEqual({ errorCode: ErrorCode.requestTimedOut, baseOffset: -1 });
  expect(atMs - startedMs).toBeGreaterThanOrEqual(300);
  expect(atMs - startedMs).toBeLessThan(400);

  cluster.resume(first.nodeId);
  cluster.resume(second.nodeId);
  await cluster.clock.advance(3_000);
  // Sent again it is the same batch, wherever its leader is now.
  const again = await cluster.clock.until(begin(await cluster.leaderOf("t"), batch()));
  expect(again).toMatchObject({ errorCode: 0, baseOffset: 0 });
  expect((await cluster.leaderOf("t")).partition("t").highWatermark).toBe(1);
});

test("a duplicate of a batch that is not committed waits with it, and no longer than it asks for", async () => {
  const { cluster, leader, first, second } = await clusterOf();
  await using _ = cluster;
  cluster.pause(first.nodeId);
  cluster.pause(second.nodeId);
  const batch = () => batchOf(["a"], { producerId: 5, producerEpoch: 0, baseSequence: 0 });
  const original = begin(leader, batch(), { timeoutMs: 30_000 });
  const duplicate = begin(leader, batch(), { timeoutMs: 100 });
  expect((await cluster.clock.until(duplicate)).errorCode).toBe(ErrorCode.requestTimedOut);
  cluster.resume(first.nodeId);
  cluster.resume(second.nodeId);
  expect(await cluster.clock.until(original)).toMatchObject({ errorCode: 0, baseOffset: 0 });
});

test("a leader that has lost its majority sends those who wait to look for another", async () => {
  const { cluster, leader, first, second } = await clusterOf();
  await using _ = cluster;
  cluster.cut(first.nodeId);
  cluster.cut(second.nodeId);
  const startedMs = cluster.clock.monotonicMs();
  for (const acks of [-1, 1]) {
    const { errorCode, atMs } = await cluster.clock.until(begin(leader, batchOf(["a"]), { acks }));
    expect(errorCode).toBe(ErrorCode.notLeaderOrFollower);
    expect(atMs - startedMs).toBeLessThan(3_000);
  }
  expect(leader.broker.partitions.uncommitted.bytes).toBe(0);
});

test("min.insync.replicas above a majority is waited for", async () => {
  const { cluster, leader, first } = await clusterOf({ "min.insync.replicas": "3" });
  await using _ = cluster;
  expect((await cluster.clock.until(begin(leader, batchOf(["a"])))).errorCode).toBe(0);
  cluster.pause(first.nodeId);
  let isAnswered = false;
  const waiting = begin(leader, batchOf(["b"])).finally(() => {
    isAnswered = true;
  });
  await cluster.clock.advance(200);
  // It is committed, and acks=1 asks for no more; yet it is only on two disks.
  expect(leader.partition("t").highWatermark).toBe(2);
  expect((await cluster.clock.until(begin(leader, batchOf(["c"]), { acks: 1 }))).errorCode).toBe(0);
  expect(isAnswered).toBe(false);
  cluster.resume(first.nodeId);
  expect(await cluster.clock.until(waiting)).toMatchObject({ errorCode: 0, baseOffset: 1 });
});

test("where fewer replicas are left than must have it, the batch is refused before, or said to be short of some after", async () => {
  const { cluster, leader, first } = await clusterOf({ "min.insync.replicas": "3" });
  await using _ = cluster;
  cluster.pause(first.nodeId);
  const waiting = begin(leader, batchOf(["a"]));
  await cluster.clock.advance(100);
  cluster.kill(first.nodeId);
  expect((await cluster.clock.until(waiting)).errorCode).toBe(ErrorCode.notEnoughReplicasAfterAppend);
  expect(leader.partition("t").highWatermark).toBe(1);
  const refused = await cluster.clock.until(begin(leader, batchOf(["b"])));
  expect(refused.errorCode).toBe(ErrorCode.notEnoughReplicas);
  expect(leader.partition("t").highWatermark).toBe(1);
});

test("what waits for a majority is counted, and beyond a bound nothing more is taken in", async () => {
  const { cluster, leader, first, second } = await clusterOf();
  await using _ = cluster;
  cluster.pause(first.nodeId);
  cluster.pause(second.nodeId);
  const { uncommitted } = leader.broker.partitions;
  const batches = ["a", "b", "c"].map((value) => batchOf([value]));
  const answers = batches.map((batch) => begin(leader, batch));
  await cluster.clock.advance(10);
  expect(uncommitted.bytes).toBe(batches.reduce((sum, batch) => sum + batch.length, 0));

  uncommitted.add(128 << 20);
  const refused = await cluster.clock.until(begin(leader, batchOf(["d"]), { timeoutMs: 200 }));
  expect(refused.errorCode).toBe(ErrorCode.kafkaStorageError);
  uncommitted.remove(128 << 20);
  cluster.resume(first.nodeId);
  cluster.resume(second.nodeId);
  const codes = (await cluster.clock.until(Promise.all(answers))).map(({ errorCode }) => errorCode);
  expect(codes).toEqual([0, 0, 0]);
  expect(uncommitted.bytes).toBe(0);
});
