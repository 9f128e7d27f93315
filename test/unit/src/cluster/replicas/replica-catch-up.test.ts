import { expect, test } from "vitest";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import type { Partition } from "#src/partitions/partition.ts";
import type { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { type BrokerWorld, batchOf } from "../../broker-world.ts";
import { ClusterWorld, type WorldNode } from "../../cluster-world.ts";

const mebibyte = 1 << 20;
const config = {
  // What is written while a node is away is several times what its leader's journal remembers.
  "millrace.journal.file.bytes": String(mebibyte),
  "millrace.journal.files.max": "4",
  "log.retention.check.interval.ms": "1000",
};
const topicConfigs = { "segment.bytes": String(mebibyte), "retention.bytes": String(mebibyte) };
const filler = "x".repeat(60_000);

async function produce({ world }: WorldNode, batch: Uint8Array): Promise<void> {
  const { errorCode } = await world.clock.until(world.produce("t", batch));
  expect(errorCode).toBe(0);
}

async function trim(world: BrokerWorld, offset: number): Promise<void> {
  const topics = [{ name: "t", partitions: [{ partitionIndex: 0, offset }] }];
  const answer = await world.call(DeleteRecords, 2, { topics, timeoutMs: 30_000 });
  expect(answer.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: offset });
}

const sequencedBy = (producerId: number, baseSequence: number) =>
  batchOf([`${producerId}/${baseSequence}`], { producerId, producerEpoch: 0, baseSequence });

/** Cuts a node off while the leader's log moves on, past what the journals remember. */
async function leaveBehind(cluster: ClusterWorld, configs: Record<string, string>) {
  await cluster.createTopic("t", configs);
  const leader = await cluster.leaderOf("t");
  const [away] = await cluster.followersOf("t");
  if (!away) throw new Error("Nobody follows");
  await produce(leader, sequencedBy(1, 0));
  await produce(leader, sequencedBy(1, 1));
  await cluster.clock.advance(1_000);
  cluster.kill(away.nodeId);
  for (let sequence = 0; sequence < 7; sequence++) await produce(leader, sequencedBy(2, sequence));
  for (let count = 0; count < 150; count++) await produce(leader, batchOf([filler]));
  await produce(leader, sequencedBy(3, 0));
  await cluster.clock.advance(20_000);
  return { leader, away };
}

const knownProducers = ({ producers }: Partition) =>
  [...producers.entries()]
    .map(({ producerId, producerEpoch, batches }) => ({ producerId, producerEpoch, batches }))
    .sort((a, b) => a.producerId - b.producerId);

async function caughtUp(cluster: ClusterWorld, nodeId: number, end: number): Promise<Partition> {
  for (let tries = 0; tries < 200; tries++) {
    const partition = cluster.node(nodeId).broker.partitions.find("t", 0);
    if (partition && partition.highWatermark >= end) return partition;
    await cluster.clock.advance(100);
  }
  throw new Error(`Node ${nodeId} does not catch up to ${end}`);
}

function expectAlike(replica: Partition, leader: Partition): void {
  expect(replica.logStartOffset).toBe(leader.logStartOffset);
  expect(replica.log.startOffset).toBe(leader.logStartOffset);
  expect(replica.highWatermark).toBe(leader.highWatermark);
  expect(replica.log.epochs()).toEqual(leader.log.epochs());
  expect(knownProducers(replica)).toEqual(knownProducers(leader));
}

async function valuesOf(partition: Partition): Promise<string[]> {
  const values: string[] = [];
  await partition.log.scan(partition.log.startOffset, (batch, header) => {
    values.push(`${header.baseOffset}: ${Buffer.from(batch).toString("base64").slice(0, 400)}`);
  });
  return values;
}

test("a replica of whose log the leader has nothing left begins where the leader does, producers included", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { leader, away } = await leaveBehind(cluster, topicConfigs);
  const origin = leader.partition("t");
  expect(origin.logStartOffset).toBeGreaterThan(100);
  expect(away.partition("t").highWatermark).toBe(2);

  await cluster.restart(away.nodeId);
  const replica = await caughtUp(cluster, away.nodeId, origin.highWatermark);
  expectAlike(replica, origin);
  expect(knownProducers(replica).map(({ producerId }) => producerId)).toEqual([1, 2, 3]);
  expect(await valuesOf(replica)).toEqual(await valuesOf(origin));
  // And goes on with Raft from there.
  await produce(leader, batchOf(["more"]));
  await caughtUp(cluster, away.nodeId, origin.highWatermark);
}, 120_000);

test("a start in the middle of a batch is taken over as it is", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { leader, away } = await leaveBehind(cluster, { "segment.bytes": String(mebibyte) });
  await produce(leader, batchOf(["a", "b", "c"]));
  const origin = leader.partition("t");
  const start = origin.highWatermark - 2;
  await trim(leader.world, start);
  for (let count = 0; count < 80; count++) await produce(leader, batchOf([filler]));
  await cluster.clock.advance(20_000);

  await cluster.restart(away.nodeId);
  const replica = await caughtUp(cluster, away.nodeId, origin.highWatermark);
  await cluster.clock.advance(1_000);
  expectAlike(replica, origin);
  expect(replica.logStartOffset).toBe(start);
}, 120_000);

test("a leader without a single record left has an end, and that is where the replica begins", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { leader, away } = await leaveBehind(cluster, { "segment.bytes": String(mebibyte) });
  const origin = leader.partition("t");
  await trim(leader.world, origin.highWatermark);
  await cluster.clock.advance(20_000);
  await cluster.restart(away.nodeId);
  const replica = await caughtUp(cluster, away.nodeId, origin.highWatermark);
  await cluster.clock.advance(1_000);
  expect([replica.logStartOffset, replica.highWatermark]).toEqual([
    origin.logStartOffset,
    origin.highWatermark,
  ]);
  expect(knownProducers(replica)).toEqual(knownProducers(origin));
}, 120_000);

test("a replica that only lacks a trim learns it with the rest that it missed", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { leader, away } = await leaveBehind(cluster, { "segment.bytes": String(mebibyte) });
  await trim(leader.world, 1);
  for (let count = 0; count < 80; count++) await produce(leader, batchOf([filler]));
  await cluster.clock.advance(20_000);
  const origin = leader.partition("t");
  await cluster.restart(away.nodeId);
  const replica = await caughtUp(cluster, away.nodeId, origin.highWatermark);
  await cluster.clock.advance(1_000);
  expect(replica.log.startOffset).toBe(1);
  expect(await valuesOf(replica)).toEqual(await valuesOf(origin));
}, 120_000);

test("a crash at any change of the disk while a replica begins anew leaves one that does so again", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { leader, away } = await leaveBehind(cluster, topicConfigs);
  const origin = leader.partition("t");
  let crashes = 0;
  for (let at = 1; crashes < 12; at += 1) {
    const crashing = crashingDisk(cluster, away.nodeId, at);
    const started = cluster
      .restart(away.nodeId, crashing.files)
      .then(
        () => caughtUp(cluster, away.nodeId, origin.highWatermark).then(() => "caught up", String),
        String,
      );
    const outcome = await Promise.race([started, crashing.left.then(() => "crashed")]);
    if (outcome === "crashed") {
      crashes += 1;
      cluster.kill(away.nodeId);
      await cluster.restart(away.nodeId, await crashing.left);
    } else if (crashes > 0) {
      break;
    }
    expectAlike(await caughtUp(cluster, away.nodeId, origin.highWatermark), origin);
    // The next round finds it as far behind as this one did.
    cluster.kill(away.nodeId);
    for (let count = 0; count < 90; count++) await produce(leader, batchOf([filler]));
    await produce(leader, sequencedBy(10 + at, 0));
    await cluster.clock.advance(20_000);
  }
  expect(crashes).toBeGreaterThan(5);
}, 120_000);

test("a write that fails while a replica catches up ends its node at once, not when the next write is tried", async () => {
  await using cluster = await ClusterWorld.start({ config });
  const { away } = await leaveBehind(cluster, topicConfigs);
  let isFailed = false;
  const files = cluster.diskOf(away.nodeId, {
    failChange: ({ path }) => {
      if (isFailed || !path.startsWith("/data/t-0/checkpoint")) return undefined;
      isFailed = true;
      return "io";
    },
  });
  await cluster.restart(away.nodeId, files);
  for (let tries = 0; tries < 500 && !isFailed; tries++) await cluster.clock.advance(10);
  expect(isFailed).toBe(true);
  await cluster.clock.advance(50);
  expect(cluster.node(away.nodeId).world.fatal).toEqual([expect.objectContaining({ code: "io" })]);
}, 120_000);

/** A node's disk that crashes at one of the changes that its partition's files see; `left` is what is then there. */
function crashingDisk(
  cluster: ClusterWorld,
  nodeId: number,
  at: number,
): { files: FaultyFileSystem; left: Promise<FaultyFileSystem> } {
  const left = Promise.withResolvers<FaultyFileSystem>();
  let count = 0;
  const files = cluster.diskOf(nodeId, {
    onChange: ({ path }, phase) => {
      if (phase !== "started" || !path.startsWith("/data/t-0")) return;
      count += 1;
      if (count === at) left.resolve(files.crash({ mode: "prefix", random: () => 0.999 }));
    },
  });
  return { files, left: left.promise };
}
