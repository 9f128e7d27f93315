import { expect, test } from "vitest";
import { LeaderlessReads } from "#src/partitions/leaderless-reads.ts";
import type { Partition } from "#src/partitions/partition.ts";

test("a partition is read without a leader once nobody has led it for longer than an election takes", () => {
  let nowMs = 1_000;
  const reads = new LeaderlessReads({ monotonicMs: () => nowMs });
  const partition = { leaderNodeId: 2, isClosed: false };
  const allows = () => reads.allows(partition as Partition);
  expect(allows()).toBe(false);
  partition.leaderNodeId = -1;
  expect(allows()).toBe(false);
  nowMs += 2_999;
  expect(allows()).toBe(false);
  nowMs += 1;
  expect(allows()).toBe(true);
  partition.leaderNodeId = 3;
  expect(allows()).toBe(false);
  partition.leaderNodeId = -1;
  expect(allows()).toBe(false);
  nowMs += 3_000;
  expect(allows()).toBe(true);
  partition.isClosed = true;
  expect(allows()).toBe(false);
});
