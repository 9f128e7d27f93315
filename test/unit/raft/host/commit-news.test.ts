import { expect, test } from "vitest";
import { HostCluster, proposeByte } from "./host-cluster.ts";

test("commits that are told late are told for all groups in one frame, and soon", async () => {
  const groups = 50;
  const cluster = new HostCluster({ groups });
  for (const node of cluster.nodes) {
    for (const id of cluster.groupIds) await node.start(id, { tellsCommitsLate: true });
  }
  const leader = await cluster.leaderOf(1);
  for (const id of cluster.groupIds) leader.group(id).campaign();
  await cluster.clock.advance(1_000);
  const led = cluster.groupIds.filter((id) => leader.group(id).isSettledLeader);
  expect(led.length).toBeGreaterThan(10);
  const follower = cluster.nodes.find((node) => node !== leader);
  for (const id of led) proposeByte(leader.group(id), 1);
  await cluster.clock.advance(5);
  for (const id of led) {
    expect(leader.partition(id).data).toEqual([1]);
    expect(follower?.partition(id).data).toEqual([]);
  }
  leader.sent.length = 0;
  await cluster.clock.advance(15);
  for (const id of led) expect(follower?.partition(id).data).toEqual([1]);
  const news = leader.sent.filter(({ to }) => to === follower?.nodeId);
  // One with the news, and perhaps one of heartbeats and one that answers them.
  expect(news.length).toBeLessThanOrEqual(3);
});
