import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { OffsetForLeaderEpoch } from "#protocol/messages/offset-for-leader-epoch.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import { batchOf } from "../broker-world.ts";
import { ClusterWorld, type WorldNode } from "../cluster-world.ts";

const offsetsTopic = "__consumer_offsets";

async function produce({ world }: WorldNode, batch: Uint8Array) {
  return await world.clock.until(world.produce("t", batch));
}

function beginListOffsets({ world }: WorldNode) {
  return world
    .begin(ListOffsets, 8, {
      replicaId: -1,
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    })
    .then(({ topics }) => topics[0]?.partitions[0]);
}

function beginFetch({ world }: WorldNode, offset: number) {
  return world
    .begin(Fetch, 11, {
      ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20 },
      topics: [
        { topic: "t", partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }] },
      ],
    })
    .then(({ responses }) => responses[0]?.partitions[0]);
}

const commit = ({ world }: WorldNode, offset: number) =>
  world
    .begin(OffsetCommit, 8, {
      groupId: "g",
      generationIdOrMemberEpoch: -1,
      memberId: "",
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: offset }] }],
    })
    .then(({ topics }) => topics[0]?.partitions[0]?.errorCode);

const committed = ({ world }: WorldNode) =>
  world
    .begin(OffsetFetch, 8, {
      groups: [{ groupId: "g", topics: [{ name: "t", partitionIndexes: [0] }] }],
      requireStable: false,
    })
    .then(({ groups }) => ({
      errorCode: groups[0]?.errorCode,
      offset: groups[0]?.topics[0]?.partitions[0]?.committedOffset,
    }));

/** A leader that stood still while another took over, and does not know it yet: nothing has reached it since. */
async function replacedLeader(topic: string, whilePaused: (cluster: ClusterWorld) => Promise<void>) {
  const cluster = await ClusterWorld.start();
  await cluster.createTopic("t");
  const [first] = cluster.nodes;
  await first?.world.call(FindCoordinator, 3, { key: "g", keyType: 0 });
  await cluster.clock.advance(500);
  return {
    cluster,
    replace: async () => {
      const leader = await cluster.leaderOf(topic);
      cluster.pause(leader.nodeId);
      await whilePaused(cluster);
      // It goes on, and what the others have to say is still on its way.
      leader.link.isCut = true;
      cluster.resume(leader.nodeId);
      expect(leader.partition(topic).isLeader).toBe(true);
      return leader;
    },
  };
}

test("a leader that stood still tells nobody where its log ends before it has asked the others", async () => {
  const { cluster, replace } = await replacedLeader("t", async (paused) => {
    const next = await paused.leaderOf("t");
    for (const value of ["b", "c"]) expect((await produce(next, batchOf([value]))).errorCode).toBe(0);
  });
  await using _ = cluster;
  expect((await produce(await cluster.leaderOf("t"), batchOf(["a"]))).errorCode).toBe(0);
  const stale = await replace();
  const answers = [
    beginListOffsets(stale),
    // Committed, and unknown here: who is told that it is out of range begins elsewhere.
    beginFetch(stale, 3),
    stale.world
      .begin(OffsetForLeaderEpoch, 4, {
        replicaId: -1,
        topics: [{ topic: "t", partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
      })
      .then(({ topics }) => topics[0]?.partitions[0]),
  ];
  for (const answer of await cluster.clock.until(Promise.all(answers))) {
    expect(answer?.errorCode).toBe(ErrorCode.notLeaderOrFollower);
  }
  // What it has it may give: it is committed.
  expect((await cluster.clock.until(beginFetch(stale, 0)))?.errorCode).not.toBe(ErrorCode.offsetOutOfRange);
});

test("a leader that was replaced does not call a producer's batch out of order for what the others have of it", async () => {
  const by = (baseSequence: number) =>
    batchOf([String(baseSequence)], { producerId: 9, producerEpoch: 0, baseSequence });
  const { cluster, replace } = await replacedLeader("t", async (paused) => {
    const next = await paused.leaderOf("t");
    expect((await produce(next, by(1))).errorCode).toBe(0);
  });
  await using _ = cluster;
  await produce(await cluster.leaderOf("t"), by(0));
  const stale = await replace();
  expect((await produce(stale, by(2))).errorCode).toBe(ErrorCode.notLeaderOrFollower);
});

test("a new leader calls nothing out of order that follows what it refused as it did not lead yet", async () => {
  const by = (baseSequence: number) =>
    batchOf([String(baseSequence)], { producerId: 9, producerEpoch: 0, baseSequence });
  await using cluster = await ClusterWorld.start();
  await cluster.createTopic("t");
  const first = await cluster.leaderOf("t");
  expect((await produce(first, by(0))).errorCode).toBe(0);
  for (const follower of await cluster.followersOf("t")) {
    expect((await produce(follower, by(1))).errorCode).toBe(ErrorCode.notLeaderOrFollower);
  }
  cluster.pause(first.nodeId);
  const next = await cluster.leaderOf("t");
  expect((await produce(next, by(2))).errorCode).toBe(ErrorCode.notLeaderOrFollower);
  // Sent again, in order.
  expect((await produce(next, by(1))).errorCode).toBe(0);
  expect((await produce(next, by(2))).errorCode).toBe(0);
  // What comes later has no such excuse.
  await cluster.clock.advance(1_000);
  expect((await produce(next, by(9))).errorCode).toBe(ErrorCode.outOfOrderSequenceNumber);
});

test("a new producer's later batches do not get ahead of what was refused for want of replicas", async () => {
  const by = (baseSequence: number) =>
    batchOf([String(baseSequence)], { producerId: 9, producerEpoch: 0, baseSequence });
  await using cluster = await ClusterWorld.start();
  await cluster.createTopic("t", { "min.insync.replicas": "3" });
  const leader = await cluster.leaderOf("t");
  const [follower] = await cluster.followersOf("t");
  cluster.pause(follower?.nodeId ?? 0);
  await cluster.clock.advance(20_000);
  expect((await produce(leader, by(0))).errorCode).toBe(ErrorCode.notEnoughReplicas);
  cluster.resume(follower?.nodeId ?? 0);
  while ((await produce(leader, batchOf(["anybody's"]))).errorCode !== 0) await cluster.clock.advance(50);
  expect((await produce(leader, by(1))).errorCode).toBe(ErrorCode.notLeaderOrFollower);
  for (const sequence of [0, 1]) expect((await produce(leader, by(sequence))).errorCode).toBe(0);
});

test("a coordinator that stood still answers nothing that another may have changed", async () => {
  const { cluster, replace } = await replacedLeader(offsetsTopic, async (paused) => {
    const next = await paused.leaderOf(offsetsTopic);
    await paused.clock.advance(1_000);
    expect(await paused.clock.until(commit(next, 20))).toBe(0);
  });
  await using _ = cluster;
  const coordinator = await cluster.leaderOf(offsetsTopic);
  expect(await cluster.clock.until(commit(coordinator, 10))).toBe(0);
  expect(await cluster.clock.until(committed(coordinator))).toEqual({ errorCode: 0, offset: 10 });
  const stale = await replace();
  const { world } = stale;
  const heartbeat = world.begin(Heartbeat, 4, { groupId: "g", generationId: 1, memberId: "m" });
  const join = world.begin(JoinGroup, 5, {
    ...{ groupId: "g", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: "" },
    ...{ protocolType: "consumer", protocols: [{ name: "range", metadata: Buffer.alloc(0) }] },
  });
  const sync = world.begin(SyncGroup, 3, { groupId: "g", generationId: 1, memberId: "m", assignments: [] });
  const [offset, ...others] = await cluster.clock.until(
    Promise.all([committed(stale), heartbeat, join, sync]),
  );
  expect(offset.errorCode).toBe(ErrorCode.notCoordinator);
  for (const { errorCode } of others) expect(errorCode).toBe(ErrorCode.notCoordinator);
  expect(await cluster.clock.until(commit(stale, 11))).toBe(ErrorCode.notCoordinator);
});

test("a leader that stood still and was not replaced goes on", async () => {
  const cluster = await ClusterWorld.start();
  await using _ = cluster;
  await cluster.createTopic("t");
  const leader = await cluster.leaderOf("t");
  await produce(leader, batchOf(["a"]));
  for (const { nodeId } of cluster.nodes) cluster.pause(nodeId);
  await cluster.clock.advance(20_000);
  for (const { nodeId } of cluster.nodes) cluster.resume(nodeId);
  await cluster.clock.advance(3_000);
  const found = await cluster.clock.until(beginListOffsets(await cluster.leaderOf("t")));
  expect(found).toMatchObject({ errorCode: 0, offset: 1 });
});

test("what a coordinator cannot write in time is not available, and counts once it is written", async () => {
  const cluster = await ClusterWorld.start({ config: { "offsets.commit.timeout.ms": "200" } });
  await using _ = cluster;
  await cluster.createTopic("t");
  await cluster.nodes[0]?.world.call(FindCoordinator, 3, { key: "g", keyType: 0 });
  await cluster.clock.advance(500);
  const coordinator = await cluster.leaderOf(offsetsTopic);
  const followers = await cluster.followersOf(offsetsTopic);
  for (const { nodeId } of followers) cluster.pause(nodeId);
  const startedMs = cluster.clock.monotonicMs();
  expect(await cluster.clock.until(commit(coordinator, 7))).toBe(ErrorCode.coordinatorNotAvailable);
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(400);
  for (const { nodeId } of followers) cluster.resume(nodeId);
  await cluster.clock.advance(2_000);
  const now = await cluster.leaderOf(offsetsTopic);
  await cluster.clock.advance(500);
  expect(await cluster.clock.until(committed(now))).toEqual({ errorCode: 0, offset: 7 });
});
