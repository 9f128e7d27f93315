import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { batchOf, valuesOf } from "../broker-world.ts";
import { ClusterWorld, type WorldNode } from "../cluster-world.ts";

const rackAware = { "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector" };
const rackOf = (nodeId: number) => `rack-${nodeId}`;

async function clusterOf(config: Record<string, string> = rackAware) {
  const cluster = await ClusterWorld.start({ config, rackOf });
  await cluster.createTopic("t");
  const leader = await cluster.leaderOf("t");
  const [follower, other] = await cluster.followersOf("t");
  if (!follower || !other) throw new Error("Nobody follows");
  for (const value of ["a", "b", "c"]) await produce(leader, value);
  // Followers tell leaders every now and then where their logs begin.
  await cluster.clock.advance(2_000);
  return { cluster, leader, follower, other };
}

async function produce({ world }: WorldNode, value: string): Promise<void> {
  expect((await world.clock.until(world.produce("t", batchOf([value])))).errorCode).toBe(0);
}

interface Reader {
  readonly offset?: number;
  readonly rackId?: string;
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly epoch?: number;
}

async function begin({ world }: WorldNode, reader: Reader = {}) {
  const { offset = 0, rackId = "", version = 11, maxWaitMs = 0, epoch = -1 } = reader;
  const { responses } = await world.begin(Fetch, version, {
    ...{ maxWaitMs, minBytes: 1, maxBytes: 1 << 20, ...(version >= 11 && { rackId }) },
    topics: [
      {
        topic: "t",
        partitions: [
          { partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20, currentLeaderEpoch: epoch },
        ],
      },
    ],
  });
  const answer = responses[0]?.partitions[0];
  if (!answer) throw new Error("Fetch was answered without a partition");
  return { ...answer, values: valuesOf(answer.records).map(({ value }) => value) };
}

const fetch = (node: WorldNode, reader?: Reader) => node.world.clock.until(begin(node, reader));

test("a consumer is sent to the replica in its rack, without records, and reads there", async () => {
  const { cluster, leader, follower } = await clusterOf();
  await using _ = cluster;
  const sent = await fetch(leader, { rackId: rackOf(follower.nodeId), maxWaitMs: 30_000 });
  expect(sent).toMatchObject({ errorCode: 0, preferredReadReplica: follower.nodeId, values: [] });
  const read = await fetch(follower, { rackId: rackOf(follower.nodeId) });
  expect(read).toMatchObject({ errorCode: 0, preferredReadReplica: -1, values: ["a", "b", "c"] });
});

test("a consumer whose rack is the leader's, nobody's or not told reads at the leader", async () => {
  const { cluster, leader } = await clusterOf();
  await using _ = cluster;
  for (const rackId of [rackOf(leader.nodeId), "elsewhere", ""]) {
    const read = await fetch(leader, { rackId });
    expect(read).toMatchObject({ preferredReadReplica: -1, values: ["a", "b", "c"] });
  }
});

test("without the selector nobody is sent anywhere, but who asks a follower is answered, as in Kafka", async () => {
  const { cluster, leader, follower } = await clusterOf({});
  await using _ = cluster;
  const read = await fetch(leader, { rackId: rackOf(follower.nodeId) });
  expect(read).toMatchObject({ preferredReadReplica: -1, values: ["a", "b", "c"] });
  expect((await fetch(follower)).values).toEqual(["a", "b", "c"]);
});

test("readers from before KIP-392 are sent to the leader", async () => {
  const { cluster, follower } = await clusterOf();
  await using _ = cluster;
  expect((await fetch(follower, { version: 10 })).errorCode).toBe(ErrorCode.notLeaderOrFollower);
});

test("offsets are found by the leader alone", async () => {
  const { cluster, follower } = await clusterOf();
  await using _ = cluster;
  const { topics } = await follower.world.call(ListOffsets, 8, {
    replicaId: -1,
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  });
  expect(topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.notLeaderOrFollower);
});

test("a follower waits with a reader for the next commit, and answers as soon as it hears of it", async () => {
  const { cluster, leader, follower } = await clusterOf();
  await using _ = cluster;
  const waiting = begin(follower, { offset: 3, maxWaitMs: 30_000 });
  await cluster.clock.advance(100);
  const startedMs = cluster.clock.monotonicMs();
  await produce(leader, "d");
  expect((await cluster.clock.until(waiting)).values).toEqual(["d"]);
  expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(50);
});

test("a follower gives nothing that it does not know to be committed", async () => {
  const { cluster, leader, follower, other } = await clusterOf();
  await using _ = cluster;
  // The follower has the record, and the leader cannot tell it that it is committed.
  cluster.pause(other.nodeId);
  const { transport } = { transport: leader.link };
  const produced = leader.world.produce("t", batchOf(["d"]));
  produced.catch(() => undefined);
  await cluster.clock.advance(1);
  transport.isCut = true;
  await cluster.clock.advance(20);
  const { highWatermark, endOffset } = follower.partition("t");
  const read = await fetch(follower, { offset: highWatermark });
  expect(read).toMatchObject({ errorCode: 0, values: [] });
  const beyond = await fetch(follower, { offset: endOffset + 1 });
  expect(beyond.errorCode).toBe(ErrorCode.offsetNotAvailable);
  transport.isCut = false;
  cluster.resume(other.nodeId);
});

test("only the leader knows that an offset does not exist", async () => {
  const { cluster, leader, follower } = await clusterOf();
  await using _ = cluster;
  expect((await fetch(leader, { offset: 4 })).errorCode).toBe(ErrorCode.offsetOutOfRange);
  expect((await fetch(follower, { offset: 4 })).errorCode).toBe(ErrorCode.offsetNotAvailable);
});

test("readers with another leader epoch than a follower knows are fenced", async () => {
  const { cluster, follower } = await clusterOf();
  await using _ = cluster;
  const { leaderEpoch } = follower.partition("t");
  expect((await fetch(follower, { epoch: leaderEpoch })).errorCode).toBe(0);
  expect((await fetch(follower, { epoch: leaderEpoch - 1 })).errorCode).toBe(ErrorCode.fencedLeaderEpoch);
  expect((await fetch(follower, { epoch: leaderEpoch + 1 })).errorCode).toBe(ErrorCode.unknownLeaderEpoch);
});

test("a replica that follows nobody sends its readers away", async () => {
  const { cluster, follower } = await clusterOf();
  await using _ = cluster;
  cluster.cut(follower.nodeId);
  await cluster.clock.advance(2_500);
  expect((await fetch(follower)).errorCode).toBe(ErrorCode.notLeaderOrFollower);
});

test("nobody is sent to a replica that is gone, behind, or begins too late", async () => {
  const { cluster, leader, follower } = await clusterOf();
  await using _ = cluster;
  const rackId = rackOf(follower.nodeId);
  // Retention has taken more there than at the leader.
  const { log } = follower.partition("t");
  await log.flush();
  await log.trimTo(2);
  await cluster.clock.advance(2_000);
  expect((await fetch(leader, { rackId, offset: 0 })).values).toEqual(["a", "b", "c"]);
  expect(await fetch(leader, { rackId, offset: 2 })).toMatchObject({ preferredReadReplica: follower.nodeId });
  expect((await fetch(follower, { offset: 1 })).errorCode).toBe(ErrorCode.offsetOutOfRange);

  cluster.pause(follower.nodeId);
  await produce(leader, "d");
  expect(await fetch(leader, { rackId, offset: 4 })).toMatchObject({ preferredReadReplica: -1 });
  cluster.resume(follower.nodeId);
  await cluster.clock.advance(1_000);
  expect(await fetch(leader, { rackId, offset: 4 })).toMatchObject({
    preferredReadReplica: follower.nodeId,
  });
  cluster.kill(follower.nodeId);
  await cluster.clock.advance(500);
  expect(await fetch(leader, { rackId, offset: 2 })).toMatchObject({
    preferredReadReplica: -1,
    values: ["c", "d"],
  });
});
