import { describe, expect, test } from "vitest";
import { encodeConfiguration, votersOnly } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import { Raft } from "#raft/core/raft.ts";
import { noReplica, replicaId } from "#raft/core/replica-id.ts";
import { proposeBytes, TestGroup, TestReplica, testLimits, testOptions } from "./test-group.ts";

const payload = new Uint8Array(100);

function dataEntry(index: number, term = 1): Entry {
  return { index, term, kind: "data", baseOffset: index - 1, offsetCount: 1, payload };
}

/** A leader that needs its journal for replica 3, which was cut off and has missed five entries. */
function groupWithLaggard(): { readonly group: TestGroup; readonly leader: Raft } {
  const group = new TestGroup([1, 2, 3], { limits: { ...testLimits, recentBytesMax: 0 } });
  const leader = group.elect(1);
  group.cutOff.add(3);
  for (let i = 0; i < 5; i++) proposeBytes(leader);
  group.settle();
  group.cutOff.delete(3);
  group.tick(2);
  return { group, leader };
}

describe("elections", () => {
  test("the first to time out leads, with a no-op as its term's first entry", () => {
    const group = new TestGroup();
    group.tick(7);
    expect(group.replicas.map(({ raft }) => raft.role)).toEqual(["leader", "follower", "follower"]);
    for (const { applied } of group.replicas) expect(applied.map(({ kind }) => kind)).toEqual(["noop"]);
  });

  test("a replica that has learnt nothing yet gives no vote: it may have forgotten what it once had", () => {
    const vote = {
      kind: "vote",
      from: 1,
      to: 4,
      term: 7,
      isTransfer: false,
      lastIndex: 9,
      lastTerm: 6,
    } as const;
    const ask = (replica: TestReplica, preVote: boolean) => {
      replica.raft.step({ ...vote, preVote });
      return replica.work().map((answer) => answer.kind === "voteAnswer" && answer.isGranted);
    };
    for (const preVote of [true, false]) {
      const blank = new TestReplica(testOptions(4, { configuration: votersOnly([]) }));
      expect(ask(blank, preVote)).toEqual([false]);
      const knowing = new TestReplica(testOptions(4, { configuration: votersOnly([1, 2, 4]) }));
      expect(ask(knowing, preVote)).toEqual([true]);
    }
  });

  test("a replica that was cut off comes back without a higher term", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    group.cutOff.add(3);
    group.tick(100);
    expect(group.replica(3).raft.role).toBe("preCandidate");
    expect(group.replica(3).raft.term).toBe(leader.term);
    group.cutOff.delete(3);
    group.tick(2);
    expect(leader.role).toBe("leader");
    expect(group.replica(3).raft.leader).toBe(1);
  });

  test("a reluctant replica leaves elections to others, and campaigns where nobody else does", () => {
    const group = new TestGroup([1, 2, 3], (id) => ({ reluctanceTicks: () => (id === 2 ? 10 : 0) }));
    group.elect(1);
    group.cutOff.add(1);
    // Otherwise the second would be the first to campaign.
    group.tick(13);
    expect(group.replica(3).raft.role).toBe("leader");

    const left = new TestGroup([1, 2, 3], { reluctanceTicks: () => 10 });
    left.elect(1);
    left.cutOff.add(1);
    left.tick(13);
    expect(left.replica(2).raft.role).toBe("follower");
    left.tick(7);
    expect(left.replica(2).raft.role).toBe("leader");
  });

  test("a reluctant replica takes over where it is asked to", () => {
    const group = new TestGroup([1, 2, 3], { reluctanceTicks: () => 1_000 });
    const leader = group.elect(1);
    expect(leader.transferTo(2)).toBeUndefined();
    group.settle();
    expect(group.replica(2).raft.role).toBe("leader");
  });

  test("a leader that is cut off from the majority steps down, and the others go on", () => {
    const group = new TestGroup();
    const old = group.elect(1);
    group.cutOff.add(1);
    group.tick(20);
    expect(old.role).not.toBe("leader");
    expect(group.replicas.filter(({ raft }) => raft.role === "leader")).toHaveLength(1);
  });

  test("a group stays with its leader when one follower hears it but is not heard, and the other way round", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    for (let i = 0; i < 60; i++) {
      for (const { raft } of group.replicas) raft.tick();
      for (let round = 0; round < 5; round++) {
        for (const message of group.replicas.flatMap((replica) => replica.work())) {
          // One-way: nothing from 1 reaches 3.
          if (message.from === 1 && message.to === 3) continue;
          group.replica(message.to).raft.step(message);
        }
      }
    }
    expect(leader.role).toBe("leader");
    expect(leader.term).toBe(1);
  });

  test("followers that lose their leader's connection elect another long before the timeout", () => {
    const group = new TestGroup([1, 2, 3], { electionTicks: 50 });
    group.elect(1);
    group.cutOff.add(1);
    group.replica(2).raft.lost(1);
    group.replica(3).raft.lost(1);
    group.tick(8);
    expect(group.replicas.slice(1).some(({ raft }) => raft.role === "leader")).toBe(true);
  });

  test("a leader whose connection comes back is given as much time as before", () => {
    const group = new TestGroup([1, 2, 3], { electionTicks: 50 });
    group.elect(1);
    const follower = group.replica(2).raft;
    follower.lost(1);
    group.tick(1);
    expect(follower.leader).toBe(1);
    for (let ticks = 0; ticks < 49; ticks++) {
      follower.tick();
      expect(follower.role).toBe("follower");
    }
  });

  test("the loss of a connection to a follower's fellow changes nothing", () => {
    const group = new TestGroup();
    group.elect(1);
    group.replica(2).raft.lost(3);
    expect(group.replica(2).raft.leader).toBe(1);
  });

  test("a vote leaves only when it is durable", () => {
    const voter = new TestReplica(testOptions(2));
    voter.isDiskStuck = true;
    voter.raft.step({
      kind: "vote",
      from: 1,
      to: 2,
      term: 1,
      preVote: false,
      isTransfer: false,
      lastIndex: 0,
      lastTerm: 0,
    });
    expect(voter.work()).toEqual([]);
    expect(voter.writes[0]?.hardState).toEqual({ term: 1, votedFor: 1 });
    voter.persist();
    expect(voter.work()).toMatchObject([{ kind: "voteAnswer", isGranted: true, to: 1 }]);
  });

  test("a candidate asks for votes only when its log is durable as it describes it", () => {
    const replica = new TestReplica(testOptions(1, { configuration: votersOnly([1, 2]) }));
    replica.isDiskStuck = true;
    replica.raft.step({ kind: "timeoutNow", from: 2, to: 1, term: 0 });
    expect(replica.work()).toEqual([]);
    replica.persist();
    expect(replica.work()).toMatchObject([{ kind: "vote", to: 2, term: 1, isTransfer: true }]);
  });

  test("a leader whose disk hangs for an election timeout makes way, and does not campaign", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    group.replica(1).isDiskStuck = true;
    proposeBytes(leader);
    group.tick(12);
    expect(leader.role).not.toBe("leader");
    group.tick(30);
    expect(group.replicas.slice(1).some(({ raft }) => raft.role === "leader")).toBe(true);
    expect(["follower"]).toContain(leader.role);
  });

  test("a group of one keeps its leader though the disk hangs", () => {
    const group = new TestGroup([1]);
    const leader = group.elect(1);
    group.replica(1).isDiskStuck = true;
    proposeBytes(leader);
    group.tick(30);
    expect(leader.role).toBe("leader");
  });

  test("what is meant for another disk of this node is ignored", () => {
    const id = replicaId({ nodeId: 2, incarnation: 1 });
    const replica = new TestReplica(testOptions(id, { configuration: votersOnly([1, id]) }));
    replica.raft.step({ kind: "heartbeat", from: 1, to: 2, term: 9, commitIndex: 5, readContext: 0 });
    expect(replica.raft.term).toBe(0);
    expect(replica.work()).toEqual([]);
  });

  test("a wiped disk gets no vote under its old name", () => {
    const group = new TestGroup();
    group.elect(1);
    const wiped = new TestReplica(
      testOptions(replicaId({ nodeId: 3, incarnation: 1 }), { configuration: votersOnly([]) }),
    );
    for (let i = 0; i < 50; i++) wiped.raft.tick();
    expect(wiped.raft.role).toBe("follower");
    expect(wiped.work()).toEqual([]);
  });
});

describe("replication", () => {
  test("an entry is applied everywhere, with its offsets", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    leader.propose({ kind: "data", baseOffset: 0, offsetCount: 5, payload });
    leader.propose({ kind: "data", baseOffset: 5, offsetCount: 2, payload });
    group.settle();
    for (const { raft, applied } of group.replicas) {
      expect(applied.map(({ baseOffset }) => baseOffset)).toEqual([0, 0, 5]);
      expect(raft.nextOffset).toBe(7);
    }
  });

  test("all that was proposed between two passes goes out in one append per replica", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    for (let i = 0; i < 20; i++) proposeBytes(leader);
    const appends = group.replica(1).work();
    expect(appends).toMatchObject([
      { kind: "append", to: 2, entries: { length: 20 } },
      { kind: "append", to: 3, entries: { length: 20 } },
    ]);
  });

  test("the leader's disk is counted only when it has written", () => {
    const group = new TestGroup([1, 2]);
    const leader = group.elect(1);
    group.replica(1).isDiskStuck = true;
    const entry = proposeBytes(leader);
    group.settle();
    expect(leader.commitIndex).toBe((entry?.index ?? 0) - 1);
    group.replica(1).persist();
    expect(leader.commitIndex).toBe(entry?.index);
  });

  test("nothing is applied that the own disk does not hold, committed or not", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    group.replica(1).isDiskStuck = true;
    const entry = proposeBytes(leader);
    group.settle();
    expect(leader.commitIndex).toBe(entry?.index);
    expect(group.replica(1).applied).not.toContain(entry);
    group.replica(1).persist();
    group.settle();
    expect(group.replica(1).applied).toContain(entry);
  });

  test("who follows does not propose", () => {
    const group = new TestGroup();
    group.elect(1);
    expect(proposeBytes(group.replica(2).raft)).toBeUndefined();
  });

  test("offsets are given again after a truncation", () => {
    const group = new TestGroup();
    const old = group.elect(1);
    group.cutOff.add(1);
    proposeBytes(old);
    proposeBytes(old);
    group.settle();
    expect(old.nextOffset).toBe(2);
    const next = group.replicas.slice(1).find(({ raft }) => {
      group.tick(20);
      return raft.role === "leader";
    });
    if (next) proposeBytes(next.raft);
    group.cutOff.clear();
    group.tick(5);
    expect(old.nextOffset).toBe(1);
    expect(group.replica(1).applied.filter(({ kind }) => kind === "data")).toHaveLength(1);
  });

  test("entries that are in memory no more are loaded for a follower that lags", () => {
    const { group, leader } = groupWithLaggard();
    const { loads, applied } = group.replica(1);
    const load = loads[0];
    expect(load).toMatchObject({ purpose: 3, firstIndex: 2, lastIndex: 6 });
    if (!load) return;
    leader.loaded(load, applied.slice(1, 3));
    group.settle();
    expect(group.replica(3).raft.lastIndex).toBe(3);
    const rest = loads.at(-1);
    expect(rest).toMatchObject({ purpose: 3, firstIndex: 4, lastIndex: 6 });
    if (rest) leader.loaded(rest, applied.slice(3));
    group.settle();
    expect(group.replica(3).raft.commitIndex).toBe(6);
  });

  test("a load that found nothing leads to a catch-up once the floor has passed", () => {
    const { group, leader } = groupWithLaggard();
    const load = group.replica(1).loads[0];
    leader.releaseThroughIndex(5);
    if (load) leader.loaded(load, []);
    group.settle();
    expect(group.replica(1).catchUps).toEqual([3]);
  });

  test("a load of entries that the floor has passed meanwhile leads to a catch-up", () => {
    const { group, leader } = groupWithLaggard();
    const { loads, applied, catchUps } = group.replica(1);
    // The journal is read while what it holds becomes needless.
    leader.releaseThroughIndex(5);
    if (loads[0]) leader.loaded(loads[0], applied.slice(1, 3));
    group.settle();
    expect(catchUps).toEqual([3]);
  });

  test("what is on its way to a follower is bounded", () => {
    const limits = { ...testLimits, appendBytesMax: 10, inflight: { messagesMax: 3, bytesMax: 1_000 } };
    const group = new TestGroup([1, 2, 3], { limits });
    const leader = group.elect(1);
    group.cutOff.add(3);
    for (let i = 0; i < 50; i++) proposeBytes(leader);
    const appends = group.settle().filter((message) => message.kind === "append" && message.to === 3);
    expect(appends.filter((append) => append.kind === "append" && append.entries.length > 0)).toHaveLength(3);
  });

  test("an idle replica wants nothing of its host", () => {
    const group = new TestGroup();
    group.elect(1);
    group.settle();
    for (const { raft } of group.replicas) {
      expect(raft.hasReady).toBe(false);
      expect(raft.ready()).toBeUndefined();
    }
    group.replica(2).raft.tick();
    expect(group.replica(2).raft.hasReady).toBe(false);
  });
});

test("an append commits no further than the entries that it shows to match", () => {
  const follower = new TestReplica(testOptions(2));
  const append = { kind: "append", to: 2, previousIndex: 0, previousTerm: 0 } as const;
  follower.raft.step({
    ...append,
    from: 1,
    term: 1,
    commitIndex: 0,
    entries: [dataEntry(1), dataEntry(2), dataEntry(3)],
  });
  // Another leader knows that three entries are committed; only the first is shown to be here.
  follower.raft.step({ ...append, from: 3, term: 2, commitIndex: 3, entries: [dataEntry(1)] });
  expect(follower.raft).toMatchObject({ lastIndex: 3, commitIndex: 1 });
});

describe("restart", () => {
  test("a group of one comes back with what its disk has, and applies it from there", () => {
    const raft = new Raft(
      testOptions(1, {
        configuration: votersOnly([1]),
        hardState: { term: 4, votedFor: 1 },
        floor: { index: 2, term: 1 },
        nextOffset: 2,
        entries: [3, 4, 5].map((index) => dataEntry(index)),
      }),
    );
    raft.campaign();
    const write = raft.ready()?.write;
    expect(write?.hardState).toEqual({ term: 5, votedFor: 1 });
    if (write) raft.persisted(write.token);
    const noop = raft.ready()?.write;
    expect(noop?.entries).toMatchObject([{ index: 6, term: 5, kind: "noop", baseOffset: 5 }]);
    if (noop) raft.persisted(noop.token);
    const load = raft.ready()?.loads[0];
    expect(load).toMatchObject({ purpose: "apply", firstIndex: 3, lastIndex: 5 });
    if (load) raft.loaded(load, [dataEntry(3), dataEntry(4)]);
    expect(raft.ready()?.committed.map(({ index }) => index)).toEqual([3, 4]);
    const rest = raft.ready()?.loads[0];
    expect(rest).toMatchObject({ firstIndex: 5, lastIndex: 5 });
    if (rest) raft.loaded(rest, [dataEntry(5)]);
    expect(raft.ready()?.committed.map(({ index }) => index)).toEqual([5]);
    expect(raft.ready()?.committed.map(({ index }) => index)).toEqual([6]);
  });

  test("the floor moves by index and by offset, not beyond what is applied", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    for (let i = 0; i < 4; i++) proposeBytes(leader);
    group.settle();
    expect(leader.releaseThroughOffset(2)).toEqual({ index: 3, term: 1 });
    expect(leader.releaseThroughOffset(2)).toBeUndefined();
    expect(leader.releaseThroughIndex(100)).toEqual({ index: 5, term: 1 });
    expect(leader.pointAt(5)).toMatchObject({ index: 5, term: 1, nextOffset: 4 });
  });
});

describe("leadership transfer", () => {
  test("stops proposals until the other has taken over", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    proposeBytes(leader);
    expect(leader.transferTo(3)).toBeUndefined();
    expect(proposeBytes(leader)).toBeUndefined();
    group.settle();
    expect(group.replica(3).raft.isSettledLeader).toBe(true);
    expect(leader.role).toBe("follower");
  });

  test("is given up after an election timeout", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    group.cutOff.add(3);
    leader.transferTo(3);
    group.tick(4);
    expect(leader.isTransferring).toBe(true);
    group.tick(1);
    expect(leader.isTransferring).toBe(false);
    expect(proposeBytes(leader)).toBeDefined();
  });

  test("goes only to voters", () => {
    const group = new TestGroup();
    expect(group.replica(2).raft.transferTo(1)).toBe("not-leader");
    expect(group.elect(1).transferTo(7)).toBe("not-a-voter");
  });
});

describe("reads", () => {
  test("wait for a majority that still follows", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    group.cutOff.add(2).add(3);
    expect(leader.read(7)).toBe(true);
    group.settle();
    expect(group.replica(1).reads).toEqual([]);
    group.cutOff.clear();
    group.tick();
    expect(group.replica(1).reads).toEqual([{ context: 7, index: 1 }]);
  });

  test("of a follower are answered through its leader", () => {
    const group = new TestGroup();
    group.elect(1);
    expect(group.replica(2).raft.read(9)).toBe(true);
    group.settle();
    expect(group.replica(2).reads).toEqual([{ context: 9, index: 1 }]);
  });

  test("between two passes share one round of heartbeats", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    for (let i = 0; i < 5; i++) leader.read(i);
    const sent = group.settle();
    expect(sent.filter(({ kind }) => kind === "heartbeat")).toHaveLength(2);
    expect(group.replica(1).reads).toHaveLength(5);
  });

  test("are refused where too many wait, and where there is no leader", () => {
    const group = new TestGroup();
    expect(group.replica(1).raft.read(1)).toBe(false);
    const leader = group.elect(1);
    group.cutOff.add(2).add(3);
    for (let i = 0; i < testLimits.readsMax; i++) expect(leader.read(i)).toBe(true);
    expect(leader.read(99)).toBe(false);
  });

  test("of a new leader wait for its first commit", () => {
    const group = new TestGroup();
    const replica = group.replica(1);
    replica.raft.campaign();
    while (replica.raft.role !== "leader") {
      for (const message of group.replicas.flatMap((each) => each.work())) {
        group.replica(message.to).raft.step(message);
      }
    }
    expect(replica.raft.isSettledLeader).toBe(false);
    replica.raft.read(5);
    group.settle();
    expect(replica.reads).toEqual([{ context: 5, index: 1 }]);
  });
});

describe("membership", () => {
  test("a change waits for the one before, and for the leader's first commit", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    const add = { kind: "auto", steps: [{ kind: "addLearner", replica: 4 }] } as const;
    expect(typeof leader.changeMembership(add)).toBe("object");
    expect(leader.changeMembership(add)).toBe("change-pending");
    group.settle();
    expect(leader.configuration.learners).toEqual([4]);
    expect(group.replica(2).raft.configuration.learners).toEqual([4]);
    expect(group.replica(2).raft.changeMembership(add)).toBe("not-leader");
  });

  test("a node's new disk takes its old one's place in one change", () => {
    const replacement = replicaId({ nodeId: 3, incarnation: 1 });
    const group = new TestGroup([1, 2, 3, replacement], { configuration: votersOnly([1, 2, 3]) });
    const leader = group.elect(1);
    group.cutOff.add(3);
    proposeBytes(leader);
    leader.changeMembership({
      kind: "auto",
      steps: [
        { kind: "remove", replica: 3 },
        { kind: "addVoter", replica: replacement },
      ],
    });
    group.tick(5);
    expect(leader.configuration).toEqual(votersOnly([1, 2, replacement]));
    expect(group.replica(replacement).raft.commitIndex).toBe(leader.commitIndex);
  });

  test("a voter that is out tells who asks for its vote, which it cannot give", () => {
    const group = new TestGroup([1, 2]);
    const leader = group.elect(1);
    leader.changeMembership({ kind: "auto", steps: [{ kind: "remove", replica: 1 }] });
    proposeBytes(leader);
    // The change gets to 2, and that it is committed does not; the entry behind it is on 1 only.
    const [append] = group.replica(1).work();
    if (append?.kind !== "append") throw new Error("Cannot deliver the append: not sent");
    group.replica(2).raft.step({ ...append, entries: append.entries.slice(0, 1) });
    for (const message of group.replica(2).work()) leader.step(message);
    group.replica(1).work();
    expect(leader).toMatchObject({ role: "follower", lastIndex: 3, configuration: votersOnly([2]) });
    expect(group.replica(2).raft.configuration).toEqual(votersOnly([1, 2]));
    group.tick(20);
    expect(group.replica(2).raft).toMatchObject({ role: "leader", configuration: votersOnly([2]) });
  });

  test("a restart knows of a configuration that the next one proves to be committed", () => {
    const group = new TestGroup();
    const leader = group.elect(1);
    leader.changeMembership({ kind: "auto", steps: [{ kind: "addLearner", replica: 4 }] });
    group.settle();
    leader.changeMembership({ kind: "auto", steps: [{ kind: "addLearner", replica: 5 }] });
    const entries = [...group.replica(1).applied, ...(group.replica(1).raft.ready()?.write?.entries ?? [])];
    const restarted = new Raft(testOptions(1, { hardState: { term: 1, votedFor: 1 }, entries }));
    expect(entries.map(({ kind }) => kind)).toEqual(["noop", "configuration", "configuration"]);
    expect(restarted.configuration.learners).toEqual([4]);
    expect(restarted.commitIndex).toBe(2);
  });
});

describe("a replica that has forgotten its log", () => {
  const configuration: Entry = {
    ...{ index: 1, term: 1, kind: "configuration", baseOffset: 0, offsetCount: 0 },
    payload: encodeConfiguration(votersOnly([1, 2, 3])),
  };
  const vote = { kind: "vote", from: 3, to: 2, preVote: false, isTransfer: false } as const;

  function returned(): TestReplica {
    const replica = new TestReplica(
      testOptions(2, {
        configuration: votersOnly([]),
        hardState: { term: 4, votedFor: noReplica },
        rejoinTerm: 4,
      }),
    );
    const append = { kind: "append", from: 1, to: 2, term: 4, commitIndex: 1 } as const;
    const entries = [configuration, { ...dataEntry(2), baseOffset: 0 }];
    replica.raft.step({ ...append, previousIndex: 0, previousTerm: 0, entries });
    replica.work();
    return replica;
  }

  test("helps nobody to lead who might lack what it had, and does not lead itself", () => {
    const replica = returned();
    expect(replica.raft.configuration.voters).toEqual([1, 2, 3]);
    replica.raft.lost(1);
    for (let i = 0; i < 40; i++) replica.raft.tick();
    expect(replica.work()).toEqual([]);
    expect(replica.raft.role).toBe("follower");
    replica.raft.step({ ...vote, term: 9, lastIndex: 2, lastTerm: 1 });
    expect(replica.work()).toMatchObject([{ kind: "voteAnswer", isGranted: false }]);
    expect(replica.raft.term).toBe(9);
  });

  test("tells a leader that counts on it that its time is over", () => {
    const replica = returned();
    replica.raft.step({ kind: "heartbeat", from: 3, to: 2, term: 3, commitIndex: 23, readContext: 0 });
    expect(replica.work()).toMatchObject([{ kind: "heartbeatAnswer", to: 3, term: 4 }]);
  });

  test("votes once it has an entry of a leader of its return", () => {
    const replica = returned();
    const entries = [{ ...dataEntry(3), baseOffset: 1, term: 4 }];
    replica.raft.step({
      ...{ kind: "append", from: 1, to: 2, term: 4, commitIndex: 2 },
      ...{ previousIndex: 2, previousTerm: 1, entries },
    });
    replica.work();
    replica.raft.lost(1);
    replica.raft.step({ ...vote, term: 9, lastIndex: 2, lastTerm: 1 });
    expect(replica.work()).toMatchObject([{ kind: "voteAnswer", isGranted: false }]);
    replica.raft.step({ ...vote, term: 10, lastIndex: 3, lastTerm: 4 });
    expect(replica.work()).toMatchObject([{ kind: "voteAnswer", isGranted: true }]);
  });
});

test("entries that the disk has no room for are given up when nobody leads, with what was to be said of them, and never committed ones", () => {
  const replica = new TestReplica(testOptions(2));
  replica.isDiskStuck = true;
  const append = { kind: "append", from: 1, to: 2, term: 1, commitIndex: 1 } as const;
  replica.raft.step({ ...append, previousIndex: 0, previousTerm: 0, entries: [dataEntry(1)] });
  replica.work();
  replica.raft.step({ ...append, previousIndex: 1, previousTerm: 1, entries: [dataEntry(2), dataEntry(3)] });
  replica.work();
  for (let i = 0; i < 4; i++) replica.raft.tick();
  expect(replica.raft.canDiscard).toBe(false);
  for (let i = 0; i < 4; i++) replica.raft.tick();
  expect(replica.raft.canDiscard).toBe(true);
  expect(replica.raft.discardFrom(1)).toBe(2);
  expect(replica.raft).toMatchObject({ lastIndex: 1, persistedIndex: 0, commitIndex: 1 });

  replica.isDiskStuck = false;
  expect(replica.work()).toEqual([]);
  replica.persist();
  expect(replica.work()).toMatchObject([{ kind: "appendAccepted", matchIndex: 1 }]);
  expect(replica.raft.persistedIndex).toBe(1);
  for (let i = 0; i < 20; i++) replica.raft.tick();
  expect(replica.work()[0]).toMatchObject({ kind: "vote", lastIndex: 1 });
});

test("a leader that hears of a later term from who does not lead it leads again at once, though all others still listen to it", () => {
  const group = new TestGroup();
  const leader = group.elect(1);
  leader.step({ kind: "heartbeatAnswer", from: 3, to: 1, term: 7, readContext: 0 });
  group.settle();
  expect(leader).toMatchObject({ role: "leader", term: 8 });
  expect(group.replica(2).raft).toMatchObject({ role: "follower", leader: 1, term: 8 });
});

test("a follower that is installing a point takes nothing else, and cannot campaign", () => {
  const replica = new TestReplica(testOptions(2));
  const point = { index: 10, term: 1, nextOffset: 7, configuration: votersOnly([1, 2]) };
  replica.raft.step({ kind: "snapshot", from: 1, to: 2, term: 1, point });
  expect(replica.raft.ready()?.install).toEqual(point);
  replica.raft.step({
    kind: "append",
    from: 1,
    to: 2,
    term: 1,
    previousIndex: 0,
    previousTerm: 0,
    commitIndex: 1,
    entries: [dataEntry(1)],
  });
  expect(replica.raft.lastIndex).toBe(0);
  for (let i = 0; i < 40; i++) replica.raft.tick();
  expect(replica.raft.role).toBe("follower");
  replica.raft.installed();
  expect(replica.raft).toMatchObject({ lastIndex: 10, commitIndex: 10, appliedIndex: 10, nextOffset: 7 });
  expect(replica.raft.configuration).toEqual(votersOnly([1, 2]));
});

test("an install that fails is told to the leader, and changes nothing", () => {
  const replica = new TestReplica(testOptions(2));
  const point = { index: 10, term: 1, nextOffset: 7, configuration: votersOnly([1, 2]) };
  replica.raft.step({ kind: "snapshot", from: 1, to: 2, term: 1, point });
  replica.work();
  replica.raft.installFailed();
  expect(replica.work()).toMatchObject([{ kind: "snapshotRefused", to: 1, index: 10 }]);
  expect(replica.raft.lastIndex).toBe(0);
  expect(replica.raft.leader).not.toBe(noReplica);
});
