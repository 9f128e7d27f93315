import { expect, test } from "vitest";
import { HostCluster } from "./host-cluster.ts";

test("an election is counted where it is asked for and where it is won", async () => {
  const cluster = await HostCluster.start({ groups: 3 });
  await cluster.elected();
  const sum = (name: "campaigns" | "electionsWon" | "led") =>
    cluster.nodes.reduce((total, { host }) => total + host.counts[name], 0);
  expect(sum("electionsWon")).toBe(3);
  expect(sum("led")).toBe(3);
  const campaigns = sum("campaigns");
  expect(campaigns).toBeGreaterThanOrEqual(3);
  await cluster.clock.advance(10_000);
  expect(sum("campaigns")).toBe(campaigns);
  expect(cluster.node(1).host.counts.groups).toBe(3);
});
