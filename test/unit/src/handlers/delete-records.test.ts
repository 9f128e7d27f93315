import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { type BrokerWorld, batchOf } from "../broker-world.ts";
import { ClusterWorld } from "../cluster-world.ts";

function beginTrim(world: BrokerWorld, offset: number, timeoutMs = 30_000) {
  return world.begin(DeleteRecords, 2, {
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs,
  });
}

async function trim(world: BrokerWorld, offset: number, timeoutMs = 30_000) {
  const { topics } = await world.clock.until(beginTrim(world, offset, timeoutMs));
  return topics[0]?.partitions[0];
}

async function clusterWith(count: number, config: Record<string, string> = {}): Promise<ClusterWorld> {
  const cluster = await ClusterWorld.start({ config });
  await cluster.createTopic("t");
  const { world } = await cluster.leaderOf("t");
  for (let at = 0; at < count; at++) {
    expect((await cluster.clock.until(world.produce("t", batchOf([`v${at}`])))).errorCode).toBe(0);
  }
  return cluster;
}

const startsOf = (cluster: ClusterWorld) =>
  cluster.nodes.map((node) => [
    node.nodeId,
    node.partition("t").logStartOffset,
    node.partition("t").log.startOffset,
  ]);

test("what DeleteRecords removes is gone from every replica", async () => {
  await using cluster = await clusterWith(5);
  const { world } = await cluster.leaderOf("t");
  expect(await trim(world, 3)).toMatchObject({ errorCode: 0, lowWatermark: 3 });
  await cluster.clock.advance(1_000);
  expect(startsOf(cluster)).toEqual([
    [1, 3, 3],
    [2, 3, 3],
    [3, 3, 3],
  ]);
});

test("a replica that was away learns what was deleted, and the next leader starts no earlier", async () => {
  await using cluster = await clusterWith(5);
  const leader = await cluster.leaderOf("t");
  const [away] = await cluster.followersOf("t");
  if (!away) throw new Error("Nobody follows");
  cluster.kill(away.nodeId);
  expect(await trim(leader.world, 4)).toMatchObject({ errorCode: 0, lowWatermark: 4 });
  await cluster.restart(away.nodeId);
  await cluster.clock.advance(2_000);
  expect(cluster.node(away.nodeId).partition("t").log.startOffset).toBe(4);

  cluster.kill(leader.nodeId);
  const next = await cluster.leaderOf("t");
  expect(await next.world.startOffset("t")).toBe(4);
  expect((await next.world.fetch("t", { offset: 3 })).errorCode).toBe(ErrorCode.offsetOutOfRange);
});

test("a deletion that is agreed on counts before the disk has done it, and survives a crash in between", async () => {
  await using cluster = await clusterWith(5);
  const leader = await cluster.leaderOf("t");
  const { log } = leader.partition("t");
  log.trimTo = () => new Promise(() => undefined);
  let isAnswered = false;
  const answer = beginTrim(leader.world, 2).finally(() => {
    isAnswered = true;
  });
  answer.catch(() => undefined);
  await cluster.clock.advance(500);
  expect(isAnswered).toBe(false);
  expect(log.startOffset).toBe(0);
  expect((await leader.world.fetch("t", { offset: 1 })).errorCode).toBe(ErrorCode.offsetOutOfRange);
  expect(await leader.world.startOffset("t")).toBe(2);
  // What the segments hold is released from the journal all the same; the trim has to stay there.
  await cluster.clock.until(leader.world.produce("t", batchOf(["brings a flush"])));
  await cluster.clock.advance(30_000);
  expect(log.flushedOffset).toBe(6);
  await cluster.clock.until(leader.world.produce("t", batchOf(["carries the floors"])));

  cluster.kill(leader.nodeId);
  const back = await cluster.restart(leader.nodeId);
  await cluster.clock.advance(3_000);
  expect(back.partition("t").log.startOffset).toBe(2);
});

test("without a majority the time runs out, and nothing that was answered is taken back", async () => {
  await using cluster = await clusterWith(5);
  const leader = await cluster.leaderOf("t");
  for (const follower of await cluster.followersOf("t")) cluster.cut(follower.nodeId);
  const answer = await trim(leader.world, 2, 200);
  expect(answer).toMatchObject({ errorCode: ErrorCode.requestTimedOut, lowWatermark: -1 });
  for (const { nodeId } of cluster.nodes) cluster.cut(nodeId, false);
  await cluster.clock.advance(5_000);
  const next = await cluster.leaderOf("t");
  const start = await next.world.startOffset("t");
  // It may have come through all the same, everywhere or nowhere.
  expect([0, 2]).toContain(start);
  await cluster.clock.advance(1_000);
  for (const node of cluster.nodes) expect(node.partition("t").logStartOffset).toBe(start);
});

test("a leader that loses its majority says so to those who wait with it", async () => {
  await using cluster = await clusterWith(5);
  const leader = await cluster.leaderOf("t");
  for (const follower of await cluster.followersOf("t")) cluster.cut(follower.nodeId);
  expect(await trim(leader.world, 2)).toMatchObject({ errorCode: ErrorCode.notLeaderOrFollower });
});

test("deletions of a burst are few entries, and the furthest one counts", async () => {
  await using cluster = await clusterWith(5);
  const { world, broker } = await cluster.leaderOf("t");
  const partition = broker.partitions.find("t", 0);
  const answers = [1, 3, 2, 4].map((offset) => beginTrim(world, offset));
  const trims = await cluster.clock.until(Promise.all(answers));
  expect(trims.map(({ topics }) => topics[0]?.partitions[0]?.errorCode)).toEqual([0, 0, 0, 0]);
  expect(partition?.logStartOffset).toBe(4);
});
