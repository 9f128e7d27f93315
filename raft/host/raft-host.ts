import { strict as assert } from "node:assert";
import { votersOnly } from "../core/configuration.ts";
import type { HardState } from "../core/entry.ts";
import type { RaftLimits, RaftOptions } from "../core/group-state.ts";
import type { Message, SnapshotPoint } from "../core/messages.ts";
import type { StoredEntry } from "../core/raft-log.ts";
import type { Floor, Leadership, Ready } from "../core/ready.ts";
import { noReplica, type ReplicaId, replicaId } from "../core/replica-id.ts";
import type { PassFrame } from "../transport/node-frame.ts";
import type { PeerIdentity } from "../transport/transport.ts";
import type { CatchUp } from "./catch-up.ts";
import { CatchUpDriver } from "./catch-up-driver.ts";
import { Cluster, type ClusterPorts } from "./cluster.ts";
import { type GroupStart, recoveredGroup, withConfigurations } from "./group-start.ts";
import { LoadQueue } from "./load-queue.ts";
import type { LogStore } from "./log-store.ts";
import { PassSchedule } from "./pass-schedule.ts";
import { RaftGroup } from "./raft-group.ts";
import { type FlushedWrites, WriteQueue } from "./write-queue.ts";

export interface RaftHostOptions {
  readonly nodeId: number;
  /** Of this node's disk; 0 unless told, here or by `identify`. */
  readonly incarnation?: number;
  readonly log: LogStore;
  /** Runs a callback once the work that is ready now has run; passes gather what came in between. */
  readonly schedulePass: (callback: () => void) => void;
  /** Runs a callback after a while, unless the answer is called: the journal had no room for an entry and is asked again. */
  readonly scheduleRetry: (callback: () => void) => () => void;
  /** A durable write failed, or a bug showed: nothing is known any more and the process must end. */
  readonly onFatal: (error: unknown) => void;
  /** What groups of several replicas need besides; a host without it has only groups of its own. */
  readonly cluster?: ClusterPorts;
  /** How replicas get what is below a floor; without it they wait for a leader whose log goes back far enough. */
  readonly catchUp?: CatchUp;
}

/** What an operator watches of a node's groups; the totals since the process began. */
export interface RaftCounts {
  readonly groups: number;
  readonly led: number;
  /** Times that a replica heard of no leader and asked whether it could be one. */
  readonly campaigns: number;
  readonly electionsWon: number;
}

/** What is kept of a replica that has left. */
export interface Retired {
  readonly hardState: HardState;
  readonly rejoinTerm: number;
}

const limits: RaftLimits = {
  appendBytesMax: 1 << 20,
  inflight: { messagesMax: 256, bytesMax: 8 << 20 },
  recentBytesMax: 4 << 20,
  loadBytesMax: 1 << 20,
  writeBytesMax: 1 << 20,
  readsMax: 10_000,
};

/** Ticks of silence after which a follower campaigns, at the least. Heartbeats go with every tick. */
const electionTicks = 10;

/** What a reluctant node waits besides: others have campaigned by then, perhaps twice, where there are any. */
const reluctanceTicks = 2 * electionTicks;

/**
 * All groups of a node, driven in passes: take what has come in, gather what the dirty groups want, one log write for
 * all, one frame for each peer, then what is committed is applied. While a write is under way proposals of groups of
 * this node alone gather for the next one (group commit); groups of several go on talking.
 */
export class RaftHost {
  readonly #options: RaftHostOptions;
  readonly #groups = new Map<number, RaftGroup>();
  readonly #dirty = new Set<RaftGroup>();
  readonly #passes: PassSchedule;
  readonly #writes: WriteQueue;
  readonly #loads: LoadQueue;
  readonly #catchUps: CatchUpDriver;
  readonly #cluster: Cluster | undefined;
  #replica: ReplicaId;
  #unstagedBytes = 0;
  #campaigns = 0;
  #electionsWon = 0;
  #isReluctant = false;

  constructor(options: RaftHostOptions) {
    const { nodeId, incarnation = 0, log, schedulePass, scheduleRetry, cluster, catchUp } = options;
    this.#options = options;
    this.#replica = replicaId({ nodeId, incarnation });
    this.#passes = new PassSchedule({
      schedulePass,
      onPass: () => this.#pass(),
      onFailed: (error) => this.#fail(error),
    });
    this.#writes = new WriteQueue({
      log,
      scheduleRetry,
      onRetryDue: () => this.#passes.schedule(),
      onFlushed: (flushed) => this.#written(flushed),
    });
    const has = (group: RaftGroup) => this.#has(group);
    const onWork = (group: RaftGroup) => this.#markDirty(group);
    const restartLog = (group: RaftGroup, point: SnapshotPoint) => this.#restartLog(group, point);
    this.#loads = new LoadQueue(log, { has, onWork });
    this.#catchUps = new CatchUpDriver(catchUp, { has, onWork, restartLog });
    if (!cluster) return;
    this.#cluster = new Cluster(cluster, {
      replica: () => this.#replica,
      groups: this.#groups,
      onInbox: () => this.#passes.schedule(),
      onTick: () => this.#passes.run(() => this.#tick()),
      onDirty: (group) => this.#dirty.add(group),
      collect: (group) => this.#collect(group),
      electionTicks,
    });
  }

  /** This node as a replica of any group. */
  get replica(): ReplicaId {
    return this.#replica;
  }

  /** Tells which of the node's disks this is, before any group starts. */
  identify(incarnation: number): void {
    assert(this.#groups.size === 0);
    this.#replica = replicaId({ nodeId: this.#options.nodeId, incarnation });
  }

  /** Whether this node leaves it to others to lead where those are there; takes what is handed over to it all the same. */
  setReluctant(isReluctant: boolean): void {
    this.#isReluctant = isReluctant;
  }

  /** Payload bytes that are on their way to the disk. */
  get proposedBytes(): number {
    return this.#unstagedBytes + this.#writes.bytes;
  }

  get counts(): RaftCounts {
    let led = 0;
    for (const { isLeader } of this.#groups.values()) if (isLeader) led += 1;
    return { groups: this.#groups.size, led, campaigns: this.#campaigns, electionsWon: this.#electionsWon };
  }

  /** For how long after a majority was heard of a group nobody else can lead it, in ms. */
  get leaseMs(): number {
    return this.#cluster?.leaseMs ?? Infinity;
  }

  group(id: number): RaftGroup | undefined {
    return this.#groups.get(id);
  }

  groups(): IterableIterator<RaftGroup> {
    return this.#groups.values();
  }

  /** Brings a group up from what the disk kept. A replica that is its group's only one elects itself at once; `settled` tells when that is done. */
  async start(start: GroupStart): Promise<RaftGroup> {
    assert(!this.#groups.has(start.id));
    const entries = await withConfigurations(start, this.#options.log);
    const group = new RaftGroup({
      id: start.id,
      stateMachine: start.stateMachine,
      raft: this.#raftOptions(start, entries),
      onWork: (dirty) => this.#markDirty(dirty),
      onUnstagedBytes: (deltaBytes) => {
        this.#unstagedBytes += deltaBytes;
      },
    });
    assert(group.isAlone || this.#cluster);
    this.#groups.set(start.id, group);
    // A log that knows nothing of the group learns where its entries begin, and who votes before any entry says so.
    if (start.floorNextOffset === undefined || group.floor.index > 0)
      this.#tellFloor(group, group.raft.pointAt(group.floor.index));
    this.#cluster?.tickGroup(group);
    if (group.isAlone) group.campaign();
    return group;
  }

  /** Resolves when a group of this replica alone leads, with all that was committed before applied, or is that no more. */
  async settled(group: RaftGroup): Promise<void> {
    while (this.#has(group) && group.isAlone && !group.isSettledLeader) await this.#passes.next();
  }

  /** Resolves when the term of a group is durable, or it is there no more. */
  async termDurable(group: RaftGroup): Promise<void> {
    while (this.#has(group) && !group.isTermDurable) await this.#passes.next();
  }

  /** Forgets a group, whether it was started or not, and all that the journal has of it. */
  remove(id: number): void {
    const group = this.#groups.get(id);
    this.#groups.delete(id);
    if (group) {
      this.#dirty.delete(group);
      this.#writes.drop(group);
      this.#cluster?.forget(group);
      group.close();
    }
    this.#options.log.forget(id);
    this.#writes.demandFlush();
    this.#passes.schedule();
  }

  /**
   * Forgets a group but its term: the replica has left, and might come back under the same name. Then it takes part
   * from the next term on, which answers, so that nobody counts on what it said before. Where the group was never
   * started here, `stored` is what the log knows of it.
   */
  retire(id: number, stored?: HardState): Retired | undefined {
    const known = this.#groups.get(id)?.raft.hardState ?? stored;
    this.remove(id);
    if (!known) return undefined;
    const rejoinTerm = known.term + 1;
    const hardState = { term: rejoinTerm, votedFor: noReplica };
    this.#options.log.setHardState(id, hardState);
    this.#options.log.advanceFloor(id, { ...nothingKnown, rejoinTerm });
    return { hardState, rejoinTerm };
  }

  /** A group's data below `offset` is durable in its segments. */
  releaseThroughOffset(id: number, offset: number): void {
    const group = this.#groups.get(id);
    this.#advanceFloor(group, group?.raft.releaseThroughOffset(offset));
  }

  /** A group's entries up to `index` are durable in a snapshot. */
  releaseThroughIndex(id: number, index: number): void {
    const group = this.#groups.get(id);
    this.#advanceFloor(group, group?.raft.releaseThroughIndex(index));
  }

  /** Makes floors that moved durable, which otherwise ride with the next entries; waits for no entry. */
  async flushFloors(): Promise<void> {
    this.#writes.demandFlush();
    this.#passes.schedule();
    // The flush under way took what was staged before.
    while (!this.#passes.isStopped && (this.#writes.isFlushDemanded || this.#writes.isFlushing))
      await this.#passes.next();
  }

  /** Resolves when nothing is waiting for the journal any more, or only what it has no room for. */
  async drained(): Promise<void> {
    while (!this.#passes.isStopped && this.#hasWork) await this.#passes.next();
  }

  /** Starts no further pass and applies nothing more; resolves when no write is under way. */
  async stop(): Promise<void> {
    this.#end();
    while (this.#writes.isFlushing) await this.#passes.next();
  }

  /** A peer's frame has come in. */
  receive(from: PeerIdentity, frame: PassFrame): void {
    if (!this.#passes.isStopped) this.#cluster?.receive(replicaId(from), frame);
  }

  /** The connection to a peer has broken, or the peer has said goodbye: where it leads, elections are near. */
  lost(peer: PeerIdentity): void {
    if (this.#passes.isStopped) return;
    const replica = replicaId(peer);
    this.#cluster?.lost(replica);
    for (const group of this.#groups.values()) {
      if (group.isAlone) continue;
      group.lost(replica);
      if (group.raft.hasReady) this.#dirty.add(group);
    }
    this.#passes.schedule();
  }

  /** Frames to a node go again after some were dropped: what they said is said again at once. */
  outboxDrained(nodeId: number): void {
    if (this.#passes.isStopped) return;
    this.#cluster?.drained(nodeId);
    this.#passes.schedule();
  }

  get #hasWork(): boolean {
    return this.#writes.isFlushing || this.#writes.wantsFlush || this.#dirty.size > 0 || this.#loads.isBusy;
  }

  #has(group: RaftGroup): boolean {
    return !this.#passes.isStopped && this.#groups.get(group.id) === group;
  }

  #raftOptions(start: GroupStart, entries: readonly StoredEntry[]): RaftOptions {
    return {
      id: this.replica,
      electionTicks,
      heartbeatTicks: 1,
      electionJitter: (below) => this.#cluster?.randomBelow(below) ?? 0,
      reluctanceTicks: () => (this.#isReluctant ? reluctanceTicks : 0),
      limits,
      tellsCommitsLate: start.tellsCommitsLate ?? false,
      ...recoveredGroup(start, entries, this.replica),
    };
  }

  #advanceFloor(group: RaftGroup | undefined, floor: Floor | undefined): void {
    // Not worth a write of its own: it rides with the next pass, or with the journal's next file.
    if (group && floor) this.#tellFloor(group, group.raft.pointAt(floor.index));
  }

  #tellFloor({ id, raft: { rejoinTerm } }: RaftGroup, point: SnapshotPoint): void {
    const isBack = point.term >= rejoinTerm;
    this.#options.log.advanceFloor(id, { ...point, ...(!isBack && { rejoinTerm }) });
  }

  #markDirty(group: RaftGroup): void {
    this.#dirty.add(group);
    // What a replica alone wants has to wait for the log in any case.
    if (!this.#writes.isFlushing || !group.isAlone) this.#passes.schedule();
  }

  #fail(error: unknown): void {
    this.#end();
    this.#options.onFatal(error);
  }

  #end(): void {
    this.#passes.stop();
    this.#writes.stop();
    this.#cluster?.stop();
  }

  #pass(): void {
    this.#writes.retry();
    this.#cluster?.takeInbox();
    this.#turn();
  }

  #tick(): void {
    this.#cluster?.tick();
    this.#writes.discardUnled();
    this.#turn();
    this.#cluster?.sendHeartbeats();
  }

  /** Gathers what the groups want and sets it going. */
  #turn(): void {
    // What one applies may remove another.
    for (const group of [...this.#dirty]) if (this.#dirty.has(group)) this.#collect(group);
    this.#cluster?.flush();
    if (!this.#writes.isFlushing && this.#writes.wantsFlush) {
      this.#writes.flush().catch((error: unknown) => this.#fail(error));
    }
    this.#writes.retryLater();
    this.#passes.done();
  }

  #written({ writes, hardStates }: FlushedWrites): void {
    this.#passes.run(() => {
      for (const { group, token } of hardStates) {
        if (!this.#has(group)) continue;
        group.hardStatePersisted(token);
        this.#collect(group);
      }
      for (const { group, write } of writes) {
        if (!this.#has(group)) continue;
        group.persisted(write.token);
        this.#collect(group);
      }
      this.#cluster?.flush();
      if (this.#dirty.size > 0 || this.#writes.wantsFlush) this.#passes.schedule();
    });
    this.#passes.done();
  }

  /** Does what a group wants until it wants nothing more. */
  #collect(group: RaftGroup): void {
    this.#dirty.delete(group);
    for (let ready = group.raft.ready(); ready; ready = group.raft.ready()) {
      group.staged();
      if (ready.leadership) this.#changeLeadership(group, ready.leadership);
      for (const message of ready.messages) this.#post(group, message);
      if (ready.write) this.#writes.add(group, ready.write);
      if (ready.committed.length > 0) group.apply(ready.committed);
      if (ready.reads.length > 0) group.confirm(ready.reads);
      this.#begin(group, ready);
      // An owner may have removed the group.
      if (!this.#has(group)) return;
      if (ready.leadership || ready.committed.length > 0) this.#cluster?.tickGroup(group);
    }
    if (group.raft.hasUntoldCommits) this.#cluster?.commitsUntold(group);
  }

  #changeLeadership(group: RaftGroup, leadership: Leadership): void {
    if (leadership.role === "preCandidate") this.#campaigns += 1;
    if (leadership.role === "leader") this.#electionsWon += 1;
    group.changeLeadership(leadership);
  }

  #post(group: RaftGroup, message: Message): void {
    assert(this.#cluster);
    this.#cluster.post(group, message);
  }

  /** Sets going what takes its time. */
  #begin(group: RaftGroup, { loads, catchUps, install }: Ready): void {
    for (const load of loads) this.#loads.load(group, load).catch((error: unknown) => this.#fail(error));
    for (const to of catchUps) void this.#catchUps.offer(group, to);
    if (install) this.#catchUps.install(group, install).catch((error: unknown) => this.#fail(error));
  }

  /** The group's data stands at the point: entries that the log has of it are nothing to it any more. */
  #restartLog(group: RaftGroup, point: SnapshotPoint): Promise<void> {
    this.#writes.dropEntries(group);
    this.#tellFloor(group, point);
    return this.flushFloors();
  }
}

/** Where a replica begins that is to learn everything from a leader. */
const nothingKnown: SnapshotPoint = { index: 0, term: 0, nextOffset: 0, configuration: votersOnly([]) };
