import type { RaftClock } from "../clock.ts";
import type { HeartbeatAnswer, Message } from "../core/messages.ts";
import { incarnationOf, nodeIdOf, type ReplicaId } from "../core/replica-id.ts";
import type { HeartbeatEntry, HeartbeatException, HeartbeatSet } from "../transport/heartbeat-set.ts";
import type { PassFrame } from "../transport/node-frame.ts";
import { PeerTraffic } from "./peer-traffic.ts";
import type { RaftGroup } from "./raft-group.ts";
import { Ticker } from "./ticker.ts";

/** What groups of several replicas take from the world. */
export interface ClusterPorts {
  readonly clock: RaftClock;
  /** Sends a frame to a node, or drops it and answers false; a transport's `send`. */
  readonly send: (nodeId: number, frame: PassFrame) => boolean;
  /** Which of its disks the node has that frames reach now; undefined where that is not known, any unless told. */
  readonly incarnationOf?: (nodeId: number) => number | undefined;
  /** A random integer from 0 up to, and without, `below`: it keeps elections apart. */
  readonly randomBelow: (below: number) => number;
  /** From one round of heartbeats to the next; elections take ten to twenty of them. 100 ms unless told. */
  readonly tickMs?: number;
  /** How long followers of groups that tell commits late may be without them where no entries follow; 10 ms unless told. */
  readonly commitNewsMs?: number;
}

/** What the host does for its part with other nodes. */
interface ClusterOwner {
  readonly replica: () => ReplicaId;
  readonly groups: ReadonlyMap<number, RaftGroup>;
  readonly electionTicks: number;
  readonly onInbox: () => void;
  readonly onTick: () => void;
  readonly onDirty: (group: RaftGroup) => void;
  readonly collect: (group: RaftGroup) => void;
}

interface Received {
  readonly from: ReplicaId;
  readonly frame: PassFrame;
}

/** Far below what anybody waits for at a follower, and long enough for many groups' news to go as one. */
const commitNewsMsDefault = 10;

/** Payload bytes of applied entries that all groups together keep in memory for replicas that lag a little. */
const recentBytesMax = 64 << 20;

/** A host's part with other nodes: frames in and out, ticks, and heartbeats of all groups as one. */
export class Cluster {
  /** For how long after a majority was heard nobody else can lead. */
  readonly leaseMs: number;
  readonly #ports: ClusterPorts;
  readonly #owner: ClusterOwner;
  readonly #ticker: Ticker;
  readonly #ticking = new Set<RaftGroup>();
  readonly #peers = new Map<ReplicaId, PeerTraffic>();
  #inbox: Received[] = [];
  /** Leaders whose followers are to be told of commits, all of them at once. */
  readonly #untold = new Set<RaftGroup>();
  #cancelNews: (() => void) | undefined;
  /** Heartbeats that groups make now belong to a round; others are about reads and go by themselves. */
  #isRound = false;
  /** The heartbeat of a set that a group is answering now. */
  #asked: HeartbeatEntry | undefined;
  #answer: HeartbeatAnswer | undefined;

  constructor(ports: ClusterPorts, owner: ClusterOwner) {
    this.#ports = ports;
    this.#owner = owner;
    const { tickMs = 100 } = ports;
    this.#ticker = new Ticker(ports.clock, { tickMs, onTick: owner.onTick });
    // Who has heard of a leader votes for no other for as many ticks; clocks do not run alike.
    this.leaseMs = tickMs * owner.electionTicks * 0.8;
  }

  randomBelow(below: number): number {
    return this.#ports.randomBelow(below);
  }

  /** Gives a group ticks while it needs any: a replica that leads alone does not. */
  tickGroup(group: RaftGroup): void {
    if (group.isAlone && group.isLeader) this.#ticking.delete(group);
    else this.#ticking.add(group);
    if (this.#ticking.size > 0) this.#ticker.start();
    else this.#ticker.stop();
  }

  forget(group: RaftGroup): void {
    this.#ticking.delete(group);
    this.#untold.delete(group);
    if (this.#ticking.size === 0) this.#ticker.stop();
  }

  /** A group's followers lack news of commits: entries may bring them along soon, else they are told. */
  commitsUntold(group: RaftGroup): void {
    this.#untold.add(group);
    const { clock, commitNewsMs = commitNewsMsDefault } = this.#ports;
    this.#cancelNews ??= clock.schedule(commitNewsMs, () => this.#tellCommits());
  }

  /** The outbox of a node has drained. */
  drained(nodeId: number): void {
    for (const [replica, peer] of this.#peers) {
      if (nodeIdOf(replica) !== nodeId) continue;
      for (const id of peer.drained()) {
        const group = this.#owner.groups.get(id);
        group?.raft.resend(replica);
        if (group?.raft.hasReady) this.#owner.onDirty(group);
      }
    }
  }

  /** The connection with a replica has broken. */
  lost(replica: ReplicaId): void {
    this.#peers.get(replica)?.lost();
  }

  stop(): void {
    this.#ticker.stop();
    this.#cancelNews?.();
    this.#inbox = [];
  }

  receive(from: ReplicaId, frame: PassFrame): void {
    this.#inbox.push({ from, frame });
    this.#owner.onInbox();
  }

  /** Hands the groups what has come in. */
  takeInbox(): void {
    if (this.#inbox.length === 0) return;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const { from, frame } of inbox) {
      for (const { group, message } of frame.messages) this.#step(group, message);
      if (frame.heartbeats) this.#takeHeartbeats(from, frame.heartbeats);
      if (frame.heartbeatsAnswer) {
        this.#peer(from).heartbeats.answered(
          frame.heartbeatsAnswer,
          (entry, sentMs) => {
            this.#stepAnswer(from, entry);
            this.#owner.groups.get(entry.group)?.heard(from, { term: entry.term, askedMs: sentMs });
          },
          (exception) => this.#stepAnswer(from, exception),
        );
      }
    }
  }

  /** Time passes for the groups; their heartbeats make up a round, which `sendHeartbeats` ends. */
  tick(): void {
    // What has come in is heard first: nobody is silent whose words only wait.
    this.takeInbox();
    let recentBytes = 0;
    for (const group of this.#ticking) {
      group.tick(this.#owner.electionTicks);
      recentBytes += group.raft.recentBytes;
      if (group.raft.hasReady) this.#owner.onDirty(group);
    }
    if (recentBytes > recentBytesMax) {
      for (const group of this.#ticking) group.raft.trim(recentBytesMax / this.#ticking.size);
    }
    this.#isRound = true;
  }

  sendHeartbeats(): void {
    this.#isRound = false;
    const nowMs = this.#ports.clock.monotonicMs();
    for (const peer of this.#peers.values()) peer.flush(peer.heartbeats.take(nowMs));
  }

  post(group: RaftGroup, message: Message): void {
    if (message.kind === "heartbeatAnswer" && this.#asked?.group === group.id) {
      this.#answer = message;
    } else if (message.kind === "heartbeat" && this.#isRound) {
      this.#peer(message.to).noteHeartbeat(group.id, message);
    } else {
      this.#peer(message.to).post(group.id, message);
    }
  }

  /** Sends what the pass has gathered, one frame for each peer; in a round it goes along with the heartbeats. */
  flush(): void {
    if (this.#isRound) return;
    for (const peer of this.#peers.values()) peer.flush();
  }

  #tellCommits(): void {
    this.#cancelNews = undefined;
    for (const group of this.#untold) {
      if (!group.raft.hasUntoldCommits) continue;
      group.raft.tellCommits();
      this.#owner.onDirty(group);
    }
    this.#untold.clear();
    this.#owner.onInbox();
  }

  #step(id: number, message: Message): void {
    const group = this.#owner.groups.get(id);
    if (!group) return;
    group.step(message);
    if (group.raft.hasReady) this.#owner.onDirty(group);
  }

  #stepAnswer(from: ReplicaId, { group, term, readContext }: HeartbeatException): void {
    this.#step(group, { kind: "heartbeatAnswer", from, to: this.#owner.replica(), term, readContext });
  }

  /** Lets every group of the set hear its leader; those that answer as expected are one answer together. */
  #takeHeartbeats(from: ReplicaId, set: HeartbeatSet): void {
    const peer = this.#peer(from);
    const exceptions: HeartbeatException[] = [];
    if (peer.received.take(set)) {
      for (const entry of peer.received.entries()) {
        const exception = this.#hear(from, entry);
        if (exception) exceptions.push(exception);
      }
    }
    peer.answer({ round: set.round, version: peer.received.version, exceptions });
  }

  #hear(from: ReplicaId, entry: HeartbeatEntry): HeartbeatException | undefined {
    const group = this.#owner.groups.get(entry.group);
    this.#answer = undefined;
    if (group) {
      const { term, commitIndex, readContext } = entry;
      group.raft.step({ kind: "heartbeat", from, to: this.#owner.replica(), term, commitIndex, readContext });
      this.#asked = entry;
      this.#owner.collect(group);
      this.#asked = undefined;
    }
    const { term = 0, readContext = 0 } = this.#answer ?? {};
    if (term === entry.term && readContext === entry.readContext) return undefined;
    return { group: entry.group, term, readContext };
  }

  /** What is meant for a lost disk must not reach the one that has taken its place: heartbeats do not say whom they are for. */
  #isReached(replica: ReplicaId): boolean {
    const incarnation = this.#ports.incarnationOf?.(nodeIdOf(replica));
    return incarnation === undefined || incarnation === incarnationOf(replica);
  }

  #peer(replica: ReplicaId): PeerTraffic {
    let peer = this.#peers.get(replica);
    if (!peer) {
      peer = new PeerTraffic(
        (frame) => this.#isReached(replica) && this.#ports.send(nodeIdOf(replica), frame),
      );
      this.#peers.set(replica, peer);
    }
    return peer;
  }
}
