import { describe, expect, test } from "vitest";
import { proposeBytes, TestGroup } from "./test-group.ts";

const late = { tellsCommitsLate: true } as const;

function commitIndexes(group: TestGroup): number[] {
  return group.replicas.map(({ raft }) => raft.commitIndex);
}

describe("a leader that tells commits late", () => {
  test("sends entries once and nothing more when they are committed", () => {
    const group = new TestGroup([1, 2, 3], late);
    const leader = group.elect(1);
    leader.tellCommits();
    group.settle();
    proposeBytes(leader);
    const kinds = group.settle().map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(["append", "append", "appendAccepted", "appendAccepted"]);
    expect(commitIndexes(group)).toEqual([2, 1, 1]);
    expect(leader.hasUntoldCommits).toBe(true);
  });

  test("tells of a commit along with the next entries", () => {
    const group = new TestGroup([1, 2, 3], late);
    const leader = group.elect(1);
    proposeBytes(leader);
    group.settle();
    proposeBytes(leader);
    group.settle();
    expect(commitIndexes(group)).toEqual([3, 2, 2]);
  });

  test("tells when it is asked to, and no second time", () => {
    const group = new TestGroup([1, 2, 3], late);
    const leader = group.elect(1);
    proposeBytes(leader);
    group.settle();
    leader.tellCommits();
    group.settle();
    expect(commitIndexes(group)).toEqual([2, 2, 2]);
    expect(leader.hasUntoldCommits).toBe(false);
    leader.tellCommits();
    expect(group.settle()).toEqual([]);
  });

  test("tells with a heartbeat at the latest", () => {
    const group = new TestGroup([1, 2, 3], late);
    proposeBytes(group.elect(1));
    group.settle();
    group.tick();
    expect(commitIndexes(group)).toEqual([2, 2, 2]);
  });

  test("tells a replica at once that it has left: later it would tell it nothing", () => {
    const group = new TestGroup([1, 2, 3], late);
    const leader = group.elect(1);
    leader.changeMembership({ kind: "auto", steps: [{ kind: "remove", replica: 3 }] });
    group.settle();
    expect(leader.configuration.voters).toEqual([1, 2]);
    expect(group.replica(3).raft.configuration.voters).toEqual([1, 2]);
  });

  test("who does not lead has nothing to tell", () => {
    const group = new TestGroup([1, 2, 3], late);
    proposeBytes(group.elect(1));
    group.settle();
    const { raft } = group.replica(2);
    raft.tellCommits();
    expect(raft.hasUntoldCommits).toBe(false);
    expect(raft.hasReady).toBe(false);
  });
});

test("a leader that is not told otherwise tells of commits at once", () => {
  const group = new TestGroup();
  proposeBytes(group.elect(1));
  group.settle();
  expect(commitIndexes(group)).toEqual([2, 2, 2]);
});
