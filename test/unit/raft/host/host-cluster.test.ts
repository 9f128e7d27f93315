import { expect, test } from "vitest";
import { votersOnly } from "#raft/core/configuration.ts";
import { replicaId } from "#raft/core/replica-id.ts";
import type { CatchUp } from "#raft/host/catch-up.ts";
import { IndefiniteProposalError } from "#raft/host/pending-proposals.ts";
import { HostCluster, proposeByte } from "./host-cluster.ts";

test("one of three is elected, and what it proposes is applied by all in order", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  for (const byte of [1, 2, 3]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(200);
  for (const node of cluster.nodes) expect(node.partition(1).data).toEqual([1, 2, 3]);
});

test("a proposal resolves when it is applied, and a follower takes none", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const entry = proposeByte(leader.group(1), 7);
  if (!entry) throw new Error("the leader took nothing");
  await cluster.clock.until(leader.group(1).whenApplied(entry));
  expect(leader.partition(1).data).toEqual([7]);
  const follower = cluster.nodes.find((node) => node !== leader);
  expect(follower && proposeByte(follower.group(1), 8)).toBeUndefined();
});

test("the state machine hears of leadership before it applies anything of it, and of being settled after", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const { term } = leader.group(1);
  const asLeader = leader.partition(1).heard.filter((heard) => heard.role === "leader");
  expect(asLeader.map(({ isSettled }) => isSettled)).toEqual([false, true]);
  await cluster.clock.advance(200);
  for (const node of cluster.nodes) {
    expect(node.partition(1).heard.at(-1)).toMatchObject({ term, leader: leader.nodeId });
  }
});

test("a leader that crashes is replaced in well under a second, because its connections break", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = await HostCluster.start({ seed, groups: 5 });
    const leader = await cluster.leaderOf(1);
    proposeByte(leader.group(1), 1);
    await cluster.clock.advance(300);
    const atMs = cluster.clock.monotonicMs();
    leader.crash();
    const next = await cluster.leaderOf(1);
    expect(next).not.toBe(leader);
    expect(cluster.clock.monotonicMs() - atMs).toBeLessThan(900);
    proposeByte(next.group(1), 2);
    await cluster.clock.advance(300);
    const rest = cluster.nodes.filter(({ isUp }) => isUp);
    for (const node of rest) expect(node.partition(1).data).toEqual([1, 2]);
    const back = await cluster.restart(leader.nodeId);
    await cluster.clock.advance(3_000);
    expect(back.partition(1).data).toEqual([1, 2]);
  }
});

test("all crash, and what was committed comes back from their disks, applied only once it is known to be committed", async () => {
  const cluster = await HostCluster.start({ groups: 3 });
  for (const id of cluster.groupIds) {
    const leader = await cluster.leaderOf(id);
    for (const byte of [1, 2, 3]) proposeByte(leader.group(id), byte + 10 * id);
  }
  await cluster.clock.advance(500);
  for (const node of [...cluster.nodes]) node.crash();
  for (const id of cluster.nodeIds) await cluster.restart(id);
  for (const node of cluster.nodes) expect(node.partition(1).data).toEqual([]);
  await cluster.elected();
  await cluster.clock.advance(500);
  for (const node of cluster.nodes) {
    for (const id of cluster.groupIds) {
      expect(node.partition(id).data).toEqual([1, 2, 3].map((byte) => byte + 10 * id));
    }
  }
});

test("what a cut-off leader proposed is indefinite, and gone when the others went on without it", async () => {
  const cluster = await HostCluster.start();
  const old = await cluster.leaderOf(1);
  proposeByte(old.group(1), 1);
  await cluster.clock.advance(300);
  cluster.isolate(old.nodeId);
  const lost = proposeByte(old.group(1), 2);
  if (!lost) throw new Error("the leader took nothing");
  const outcome = old
    .group(1)
    .whenApplied(lost)
    .catch((error: unknown) => error);
  await cluster.clock.advance(5_000);
  const next = await cluster.leaderOf(1);
  expect(next).not.toBe(old);
  expect(await outcome).toBeInstanceOf(IndefiniteProposalError);
  proposeByte(next.group(1), 3);
  await cluster.clock.advance(300);
  cluster.isolate(old.nodeId, false);
  await cluster.clock.advance(5_000);
  for (const node of cluster.nodes) expect(node.partition(1).data).toEqual([1, 3]);
  expect(old.host.proposedBytes).toBe(0);
  expect(cluster.nodes.flatMap(({ fatal }) => fatal)).toEqual([]);
});

test("a leader without a majority steps down, and its owner hears of it", async () => {
  const cluster = await HostCluster.start();
  const old = await cluster.leaderOf(1);
  cluster.isolate(old.nodeId);
  await cluster.clock.advance(3_000);
  expect(old.group(1).isLeader).toBe(false);
  expect(old.partition(1).heard.at(-1)?.role).not.toBe("leader");
});

test("idle groups cost one frame for each pair of nodes, direction and tick, whatever their number", async () => {
  const cluster = await HostCluster.start({ groups: 100 });
  await cluster.elected();
  await cluster.clock.advance(2_000);
  for (const node of cluster.nodes) node.sent.length = 0;
  await cluster.clock.advance(1_000);
  for (const { sent } of cluster.nodes) {
    // A round and an answer to the other's, to each of two peers, ten times a second.
    expect(sent.length).toBeLessThanOrEqual(42);
    for (const { frame } of sent) {
      expect(frame.messages).toEqual([]);
      expect(frame.heartbeats?.changed ?? []).toEqual([]);
      expect(frame.heartbeatsAnswer?.exceptions ?? []).toEqual([]);
    }
  }
});

test("idle groups elect nobody for ten minutes", async () => {
  const cluster = await HostCluster.start({ groups: 10 });
  await cluster.elected();
  await cluster.clock.advance(2_000);
  const terms = () => cluster.nodes.flatMap((node) => cluster.groupIds.map((id) => node.group(id).term));
  const before = terms();
  await cluster.clock.advance(600_000);
  expect(terms()).toEqual(before);
});

test("lost heartbeats do not make anybody forget the others: rounds build on what has arrived", async () => {
  let lossCount = 0;
  const cluster = await HostCluster.start({ groups: 20 });
  await cluster.elected();
  const fate = () => {
    lossCount += 1;
    return lossCount % 3 === 0 ? [] : [1];
  };
  Reflect.set(cluster.hub, "fateOf", fate);
  const before = cluster.nodes.map((node) => node.group(1).term);
  for (let at = 0; at < 50; at++) {
    for (const id of cluster.groupIds) {
      const leader = cluster.leader(id);
      if (leader) proposeByte(leader.group(id), at);
    }
    await cluster.clock.advance(100);
  }
  expect(cluster.nodes.map((node) => node.group(1).term)).toEqual(before);
  Reflect.deleteProperty(cluster.hub, "fateOf");
  await cluster.clock.advance(2_000);
  const [first, ...others] = cluster.nodes.map((node) => node.partition(7).data);
  expect(first?.length).toBe(50);
  for (const other of others) expect(other).toEqual(first);
});

test("hundreds of groups that lose their leaders at once elect others apart from each other", async () => {
  const cluster = await HostCluster.start({ groups: 300 });
  await cluster.elected();
  await cluster.clock.advance(1_000);
  const [victim, ...rest] = cluster.nodes;
  if (!victim) throw new Error("no node");
  for (const node of rest) node.sent.length = 0;
  const led = cluster.groupIds.filter((id) => cluster.leader(id) === victim).length;
  const atMs = cluster.clock.monotonicMs();
  victim.crash();
  await cluster.elected();
  expect(led).toBeGreaterThan(30);
  expect(cluster.clock.monotonicMs() - atMs).toBeLessThan(1_500);
  const voteFrames = rest
    .flatMap(({ sent }) => sent)
    .filter(({ frame }) => frame.messages.some(({ message }) => message.kind === "vote"));
  expect(voteFrames.length).toBeLessThan(led);
});

test("leadership goes over on request without an election timeout", async () => {
  const cluster = await HostCluster.start();
  const old = await cluster.leaderOf(1);
  await cluster.clock.advance(300);
  const target = cluster.nodes.find((node) => node !== old);
  if (!target) throw new Error("no other node");
  expect(old.group(1).transferTo(target.nodeId)).toBeUndefined();
  expect(old.group(1).canPropose).toBe(false);
  await cluster.clock.advance(50);
  expect(cluster.leader(1)).toBe(target);
});

test("a read on any node waits for what was committed before it", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  await cluster.clock.advance(300);
  const entry = proposeByte(leader.group(1), 5);
  if (!entry) throw new Error("the leader took nothing");
  await cluster.clock.until(leader.group(1).whenApplied(entry));
  for (const node of cluster.nodes) {
    expect(await cluster.clock.until(node.group(1).readIndex())).toBeGreaterThanOrEqual(entry.index);
    expect(node.partition(1).data).toEqual([5]);
  }
});

test("a replica joins, and gets entries that have left memory from the leader's log", async () => {
  const cluster = await HostCluster.start();
  for (const node of cluster.nodes) node.host.remove(1);
  await cluster.clock.settle();
  for (const node of cluster.nodes) await node.start(1, { configuration: votersOnly([1]), entries: [] });
  await cluster.clock.advance(10);
  const leader = cluster.node(1).group(1);
  for (let at = 0; at < 20; at++) proposeByte(leader, at, 100_000);
  await cluster.clock.advance(100);
  leader.changeMembership({ kind: "auto", steps: [{ kind: "addVoter", replica: 2 }] });
  await cluster.clock.advance(2_000);
  expect(cluster.node(2).partition(1).data).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(leader.configuration.voters).toEqual([1, 2]);
});

test("a replica that has left comes back in a later term, and votes again only once it has learnt who belongs to the group", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const [leaver, other] = cluster.nodes.filter((node) => node !== leader);
  if (!leaver || !other) throw new Error("There are three nodes");
  const { term } = leaver.group(1);
  leader.group(1).changeMembership({ kind: "auto", steps: [{ kind: "remove", replica: leaver.nodeId }] });
  await cluster.clock.advance(500);
  leaver.host.retire(1);
  await cluster.clock.advance(100);
  const stored = leaver.disk.stored(1);
  expect(stored).toMatchObject({
    hardState: { term: term + 1, votedFor: -1 },
    floor: { index: 0 },
    rejoinTerm: term + 1,
    entries: [],
  });
  expect(stored?.configuration?.voters).toEqual([]);

  // The others are gone, and one of the old members asks in vain for its help.
  leader.crash();
  await leaver.start(1);
  expect(leaver.group(1).term).toBe(term + 1);
  await cluster.clock.advance(5_000);
  expect(cluster.leader(1)).toBeUndefined();

  await cluster.restart(leader.nodeId);
  const next = await cluster.leaderOf(1);
  next.group(1).changeMembership({ kind: "auto", steps: [{ kind: "addVoter", replica: leaver.nodeId }] });
  await cluster.clock.advance(1_000);
  proposeByte(next.group(1), 7);
  await cluster.clock.advance(500);
  expect(leaver.partition(1).data).toEqual([7]);
});

test("nothing that a replica said before it forgot its log is taken for what it says afterwards", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const forgetful = cluster.nodes.find((node) => node !== leader);
  if (!forgetful) throw new Error("There are three nodes");
  for (const byte of [1, 2, 3]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(500);
  // What it has acknowledged is known to a leader that has heard nothing of its leaving, and heartbeats say so.
  forgetful.host.retire(1);
  await cluster.clock.until(forgetful.host.drained());
  await forgetful.start(1);
  await cluster.clock.advance(500);
  for (const node of cluster.nodes) expect(node.fatal).toEqual([]);
  const next = await cluster.leaderOf(1);
  proposeByte(next.group(1), 4);
  await cluster.clock.advance(500);
  expect(forgetful.partition(1).data).toEqual([1, 2, 3, 4]);
  expect(leader.partition(1).data).toEqual([1, 2, 3, 4]);
});

test("that a replica has forgotten its log outlives restarts and floors, until it has an entry of its return", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const forgetful = cluster.nodes.find((node) => node !== leader);
  if (!forgetful) throw new Error("There are three nodes");
  const entry = proposeByte(leader.group(1), 1);
  if (!entry) throw new Error("the leader took nothing");
  await cluster.clock.advance(500);
  const { term } = leader.group(1);
  forgetful.host.retire(1);
  await cluster.clock.advance(100);
  forgetful.crash();
  const back = await cluster.restart(forgetful.nodeId);
  expect(forgetful.disk.stored(1)).toMatchObject({ rejoinTerm: term + 1 });
  const next = await cluster.leaderOf(1);
  proposeByte(next.group(1), 2);
  await cluster.clock.advance(500);
  expect(back.partition(1).data).toEqual([1, 2]);
  back.host.releaseThroughIndex(1, entry.index);
  await cluster.clock.until(back.host.flushFloors());
  expect(back.disk.stored(1)).toMatchObject({ floor: { term }, rejoinTerm: term + 1 });
  back.host.releaseThroughOffset(1, 2);
  await cluster.clock.until(back.host.flushFloors());
  expect(back.disk.stored(1)?.rejoinTerm).toBeUndefined();
});

test("a replica on a new disk is another one: what was meant for the lost one does not reach it", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  const lost = cluster.nodes.find((node) => node !== leader);
  if (!lost) throw new Error("There are three nodes");
  lost.crash();
  const node = await cluster.replaceDisk(lost.nodeId);
  const replica = replicaId({ nodeId: lost.nodeId, incarnation: 1 });
  const addLearner = { kind: "addLearner", replica } as const;
  expect(typeof leader.group(1).changeMembership({ kind: "auto", steps: [addLearner] })).toBe("object");
  await cluster.clock.advance(500);
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(500);
  expect(node.partition(1).data).toEqual([1]);
  const swap = [
    { kind: "addVoter", replica },
    { kind: "remove", replica: lost.nodeId },
  ] as const;
  expect(typeof leader.group(1).changeMembership({ kind: "auto", steps: swap })).toBe("object");
  await cluster.clock.advance(500);
  expect(leader.group(1).configuration.voters).toContain(replica);
  expect(leader.group(1).configuration.voters).not.toContain(lost.nodeId);
  leader.crash();
  await cluster.clock.advance(3_000);
  expect(cluster.leader(1)).toBeDefined();
});

test("a replica below the floor is brought to a point and goes on from there", async () => {
  const installs: number[] = [];
  const catchUp: CatchUp = {
    offer: async (group) => group.appliedIndex,
    install: async (_, point) => {
      installs.push(point.index);
    },
  };
  const cluster = await HostCluster.start({ catchUp });
  const leader = await cluster.leaderOf(1);
  const behind = cluster.nodes.find((node) => node !== leader);
  if (!behind) throw new Error("no other node");
  behind.crash();
  await cluster.clock.advance(100);
  for (const byte of [1, 2, 3]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(300);
  for (const node of cluster.nodes) if (node.isUp) node.host.releaseThroughOffset(1, 3);
  expect(leader.group(1).floor.index).toBeGreaterThan(3);
  const back = await cluster.restart(behind.nodeId);
  await cluster.clock.advance(3_000);
  expect(installs).toEqual([leader.group(1).appliedIndex]);
  proposeByte(leader.group(1), 4);
  await cluster.clock.advance(300);
  expect(back.partition(1).data).toEqual([4]);
  expect(back.group(1).nextOffset).toBe(4);
  back.crash();
  const again = await cluster.restart(behind.nodeId);
  await cluster.clock.advance(2_000);
  expect(again.partition(1).data).toEqual([4]);
  expect(installs.length).toBe(1);
});

test("a point may be installed while entries before it are still to be applied", async () => {
  const catchUp: CatchUp = { offer: async (group) => group.appliedIndex, install: async () => undefined };
  const cluster = await HostCluster.start({ catchUp });
  const leader = await cluster.leaderOf(1);
  const behind = cluster.nodes.find((node) => node !== leader);
  if (!behind) throw new Error("There are three nodes");
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(300);
  behind.crash();
  await cluster.clock.advance(100);
  for (const byte of [2, 3]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(300);
  for (const node of cluster.nodes) if (node.isUp) node.host.releaseThroughOffset(1, 3);

  // Its state has no room for them for so long that the floor has passed them when they are read.
  const room = Promise.withResolvers<void>();
  const advanceFloor = behind.disk.advanceFloor.bind(behind.disk);
  behind.disk.advanceFloor = (group, floor) => {
    advanceFloor(group, floor);
    if (floor.index > 2) room.resolve();
  };
  const back = await cluster.restart(behind.nodeId, { beforeReplay: () => room.promise });
  await cluster.clock.advance(3_000);
  expect(back.fatal).toEqual([]);
  proposeByte(leader.group(1), 4);
  await cluster.clock.advance(300);
  expect(back.partition(1).data).toEqual([4]);
});

test("a point that cannot be installed is offered again", async () => {
  let failures = 2;
  const catchUp: CatchUp = {
    offer: async (group) => group.appliedIndex,
    install: async () => {
      failures -= 1;
      if (failures >= 0) throw new Error("the stream broke");
    },
  };
  const cluster = await HostCluster.start({ catchUp });
  const leader = await cluster.leaderOf(1);
  const behind = cluster.nodes.find((node) => node !== leader);
  behind?.crash();
  proposeByte(leader.group(1), 1);
  await cluster.clock.advance(300);
  for (const node of cluster.nodes) if (node.isUp) node.host.releaseThroughOffset(1, 1);
  const back = await cluster.restart(behind?.nodeId ?? 0);
  await cluster.clock.advance(5_000);
  expect(failures).toBe(-1);
  expect(back.group(1).nextOffset).toBe(1);
});

test("a follower whose log is full holds nobody up and takes the rest when there is room", async () => {
  const cluster = await HostCluster.start();
  const leader = await cluster.leaderOf(1);
  await cluster.clock.advance(300);
  const full = cluster.nodes.find((node) => node !== leader);
  if (!full) throw new Error("no other node");
  full.disk.isFull = true;
  for (const byte of [1, 2, 3]) proposeByte(leader.group(1), byte);
  await cluster.clock.advance(300);
  expect(leader.partition(1).data).toEqual([1, 2, 3]);
  expect(full.partition(1).data).toEqual([]);
  full.disk.isFull = false;
  await cluster.clock.advance(2_000);
  expect(full.partition(1).data).toEqual([1, 2, 3]);
  expect(full.host.proposedBytes).toBe(0);
});
