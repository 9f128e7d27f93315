import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import type { FaultyFileSystemOptions } from "#storage/io/faulty-file.ts";
import { ClusterWorld } from "../../cluster-world.ts";

const mebibyte = 1 << 20;

test("a node whose disk is full leads nothing, and is given nothing until there is room again", async () => {
  await using world = await ClusterWorld.start({
    config: { "leader.imbalance.check.interval.seconds": "5" },
  });
  await world.createTopic("t");
  const preferred = world.node(1).broker.metadata.image.topics.get("t")?.partitions[0]?.replicas[0] ?? -1;
  await world.clock.advance(10_000);
  expect((await world.leaderOf("t")).nodeId).toBe(preferred);

  const disk: FaultyFileSystemOptions = { capacityBytes: 200 * mebibyte };
  const files = world.diskOf(preferred, disk);
  world.kill(preferred);
  const full = await world.restart(preferred, files);
  disk.capacityBytes = 16 * mebibyte;
  await world.clock.advance(3_000);
  expect(full.broker.gate.isBlocked).toBe(true);

  const leader = await world.leaderOf("t");
  expect(leader.nodeId).not.toBe(preferred);
  const { leaderEpoch } = leader.partition("t");
  await world.clock.advance(30_000);
  expect(leader.partition("t").leaderEpoch).toBe(leaderEpoch);
  const elect = leader.world.call(ElectLeaders, 2, {
    electionType: 0,
    topicPartitions: [{ topic: "t", partitions: [0] }],
    timeoutMs: 5_000,
  });
  expect((await world.clock.until(elect)).replicaElectionResults).toMatchObject([
    { partitionResult: [{ errorCode: ErrorCode.preferredLeaderNotAvailable }] },
  ]);

  disk.capacityBytes = 400 * mebibyte;
  await world.clock.advance(20_000);
  expect((await world.leaderOf("t")).nodeId).toBe(preferred);
});
