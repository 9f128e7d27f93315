import { expect, test } from "vitest";
import type { FaultyFileSystemOptions } from "#storage/io/faulty-file.ts";
import { ClusterWorld } from "../cluster-world.ts";

test("a member whose disk is full when it starts joins once there is room", async () => {
  await using cluster = await ClusterWorld.start();
  await cluster.createTopic("t");
  cluster.kill(3);
  const disk: FaultyFileSystemOptions = { capacityBytes: 0 };
  const roomAtMs = cluster.clock.monotonicMs() + 20_000;
  cluster.clock.schedule(20_000, () => {
    disk.capacityBytes = 1 << 30;
  });
  const node = await cluster.restart(3, cluster.diskOf(3, disk));
  expect(cluster.clock.monotonicMs()).toBeGreaterThanOrEqual(roomAtMs);
  await cluster.clock.advance(2_000);
  expect(node.partition("t").followedNodeId).toBeGreaterThan(0);
});
