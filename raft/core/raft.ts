import { strict as assert } from "node:assert";
import { ApplyFeed } from "./apply-feed.ts";
import { Candidate } from "./candidate.ts";
import type { Configuration } from "./configuration.ts";
import type { ConfigurationProof } from "./configuration-history.ts";
import type { Entry, HardState } from "./entry.ts";
import { Follower } from "./follower.ts";
import { GroupState, type RaftOptions } from "./group-state.ts";
import { Leader, type MembershipRefusal, type Proposal, type TransferRefusal } from "./leader.ts";
import type { MembershipChange } from "./membership.ts";
import { isFromLeader, type Message, type SnapshotPoint, type Vote } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { Floor, Leadership, Load, Ready, RoleName, Write, WriteToken } from "./ready.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";
import type { Transitions } from "./role.ts";
import { answerVote, commitPoint } from "./voting.ts";

/**
 * One replica of a group: Raft as a synchronous state machine without clock, disk, network or chance.
 *
 * It is told what happens (`tick`, `step`, `propose`, `persisted`, `applied`, …) and asked what it wants (`ready`).
 * It never promises anything before the host has said that what the promise rests on is durable.
 */
export class Raft {
  readonly #state: GroupState;
  readonly #transitions: Transitions;
  readonly #applyFeed: ApplyFeed;
  #role: Follower | Candidate | Leader;
  #toldLeadership: Leadership;
  #isInstallHanded = false;

  constructor(options: RaftOptions) {
    this.#state = new GroupState(options);
    this.#applyFeed = new ApplyFeed(this.#state);
    this.#transitions = {
      becomeFollower: (term, leader) => this.#becomeFollower(term, leader),
      becomePreCandidate: () => this.#campaign({ preVote: true, isTransfer: false }),
      becomeCandidate: ({ isTransfer }) => {
        this.#state.enterTerm(this.#state.term + 1);
        this.#campaign({ preVote: false, isTransfer });
      },
      becomeLeader: () => this.#becomeLeader(),
    };
    this.#role = new Follower(this.#state, this.#transitions, noReplica);
    this.#toldLeadership = this.#leadership;
  }

  get id(): ReplicaId {
    return this.#state.id;
  }

  get term(): number {
    return this.#state.term;
  }

  /** Term and vote, whether durable yet or not. */
  get hardState(): HardState {
    return this.#state.hardState;
  }

  get role(): RoleName {
    return this.#role.name;
  }

  /** Who leads, `noReplica` where unknown. */
  get leader(): ReplicaId {
    return this.#role.leader;
  }

  /** The committed configuration. */
  get configuration(): Configuration {
    return this.#state.configuration;
  }

  /** Where a restart would find that configuration. */
  get configurationProof(): ConfigurationProof {
    return this.#state.configurations.proof;
  }

  get commitIndex(): number {
    return this.#state.log.commitIndex;
  }

  get lastIndex(): number {
    return this.#state.log.lastIndex;
  }

  get persistedIndex(): number {
    return this.#state.log.persistedIndex;
  }

  get appliedIndex(): number {
    return this.#state.log.appliedIndex;
  }

  get floor(): Floor {
    return this.#state.log.floor;
  }

  /** Its state is about to be replaced by a point's: what is being read for it to apply may be there no more. */
  get isInstalling(): boolean {
    return this.#state.installing !== undefined;
  }

  /** The first term in which it takes part again, where it has been here before and forgotten its log; else 0. */
  get rejoinTerm(): number {
    return this.#state.rejoinTerm;
  }

  /** The offset that the next data entry gets. */
  get nextOffset(): number {
    return this.#state.log.nextOffset;
  }

  /** Leads, and has committed an entry of its term: only then is its applied state the group's newest. */
  get isSettledLeader(): boolean {
    return this.#role.name === "leader" && this.#role.hasCommittedInTerm;
  }

  /** Leads, and is handing over: takes no proposals. */
  get isTransferring(): boolean {
    return this.#role.name === "leader" && this.#role.isTransferring;
  }

  /** What a leader knows of its replicas; undefined for others. */
  get progress(): ReadonlyMap<ReplicaId, Readonly<Progress>> | undefined {
    return this.#role.name === "leader" ? this.#role.progress : undefined;
  }

  /** Term of the entry at `index`; undefined below the floor and behind the end. */
  termAt(index: number): number | undefined {
    return this.#state.log.termAt(index);
  }

  /** The offset behind the entry at `index`; undefined below the floor and behind the end. */
  nextOffsetAt(index: number): number | undefined {
    const { log } = this.#state;
    return index < log.floor.index || index > log.lastIndex ? undefined : log.nextOffsetAt(index);
  }

  /** The state after an applied entry that is not below the floor: what another replica installs. */
  pointAt(index: number): SnapshotPoint {
    const { log, configurations } = this.#state;
    assert(index >= log.floor.index && index <= log.commitIndex);
    return {
      index,
      term: log.termAt(index) ?? 0,
      nextOffset: log.nextOffsetAt(index),
      configuration: configurations.at(index),
    };
  }

  /** Time passes by one tick. */
  tick(): void {
    this.#state.now += 1;
    this.#role.tick();
  }

  /** A message from another replica arrived; it may be late, twice, or out of order. */
  step(message: Message): void {
    const { term } = this.#state;
    // Meant for the replica that an earlier disk of this node held.
    if (message.to !== this.#state.id) return;
    if (message.term < term) {
      this.#answerStale(message);
      return;
    }
    if (message.term > term) {
      if (message.kind === "vote" && this.#isDisturbing(message)) return;
      if (!isAboutPreVote(message)) this.#enterLaterTerm(message);
    }
    if (message.kind === "vote") {
      const gaveVote = answerVote(this.#state, message, this.#role.leader);
      if (gaveVote && this.#role.name === "follower") this.#role.gaveVote();
      return;
    }
    // Somebody else has won this term.
    if (this.#role instanceof Candidate && isFromLeader(message)) {
      this.#becomeFollower(message.term, message.from);
    }
    this.#role.step(message);
  }

  /** Asks to put an entry into the log; undefined where this replica does not lead, or hands over. */
  propose(proposal: Proposal): Entry | undefined {
    return this.#role.name === "leader" ? this.#role.propose(proposal) : undefined;
  }

  /** Begins to change who belongs to the group; what came out is seen in `configuration` once it is committed. */
  changeMembership(change: MembershipChange): Entry | MembershipRefusal {
    return this.#role.name === "leader" ? this.#role.changeMembership(change) : "not-leader";
  }

  /** Hands leadership over, or tries to for an election timeout; undefined where that was begun. */
  transferTo(replica: ReplicaId): TransferRefusal | undefined {
    return this.#role.name === "leader" ? this.#role.transferTo(replica) : "not-leader";
  }

  /** Starts a linearizable read, confirmed through `reads` under this number; false where it cannot be started now. */
  read(context: number): boolean {
    const { id, term } = this.#state;
    if (this.#role.name === "leader") return this.#role.read(id, context);
    if (this.#role.leader === noReplica) return false;
    this.#state.send({ kind: "readIndex", from: id, to: this.#role.leader, term, context });
    return true;
  }

  /** Campaigns without waiting for the leader's silence. */
  campaign(): void {
    if (this.#role.name === "leader" || !this.#state.canCampaign) return;
    this.#transitions.becomePreCandidate();
  }

  /** The connection to a replica was reset: where it is the leader, an election is near. */
  lost(replica: ReplicaId): void {
    if (this.#role.name === "follower" && this.#role.leader === replica) this.#role.loseLeader();
    if (this.#role.name === "leader") this.#role.unreachable(replica);
  }

  /** What this leader sent to a replica was dropped here, and can be sent again now. */
  resend(replica: ReplicaId): void {
    if (this.#role.name === "leader") this.#role.resend(replica);
  }

  /** The oldest write under way is durable. */
  persisted(token: WriteToken): void {
    const { lastIndex, messages } = this.#state.writes.complete(token);
    this.#state.log.persistedTo(lastIndex);
    this.#release(messages);
    if (this.#role.name === "leader") this.#role.persisted();
  }

  /** Term and vote of a write are durable, ahead of entries for which the disk has no room. */
  hardStatePersisted(token: WriteToken): void {
    this.#release(this.#state.writes.completeHardState(token));
  }

  /**
   * Whether entries that have no room on the disk are in the way of an election: nobody is heard of who leads, and who
   * has them cannot lead itself. Room may come only with commits, and those only with a leader.
   */
  get canDiscard(): boolean {
    return this.#role.name === "follower" && !this.#role.hasLease && this.#state.isDiskStalled;
  }

  /** Gives up entries from `index` on that the disk has not taken and nobody was promised; answers from where on none is wanted. */
  discardFrom(index: number): number {
    assert(this.canDiscard);
    return this.#state.discardFrom(index);
  }

  /** Committed entries up to `index` were applied. */
  applied(index: number): void {
    this.#state.log.appliedTo(index);
  }

  /** Whether it leads followers that are to be told of commits by `tellCommits`, or with their next entries. */
  get hasUntoldCommits(): boolean {
    return this.#role.name === "leader" && this.#role.hasUntoldCommits;
  }

  /** Lets followers know of commits now. */
  tellCommits(): void {
    if (this.#role.name === "leader") this.#role.tellCommits();
  }

  /** Payload bytes that the log holds in memory. */
  get recentBytes(): number {
    return this.#state.log.recentBytes;
  }

  /** Lets payloads of applied entries go beyond what its own limit says: a host has many groups and one memory. */
  trim(bytesMax: number): void {
    this.#state.log.trim(bytesMax);
  }

  /** Applied data below `offset` is durable elsewhere; answers the new floor where it moved. */
  releaseThroughOffset(offset: number): Floor | undefined {
    return this.#released(this.#state.log.releaseThroughOffset(offset));
  }

  /** The effect of applied entries up to `index` is durable elsewhere; answers the new floor where it moved. */
  releaseThroughIndex(index: number): Floor | undefined {
    return this.#released(this.#state.log.releaseThroughIndex(index));
  }

  /** Answers a load: entries from its first index on, dense. None: a replica's are in the journal no more. */
  loaded(load: Load, entries: readonly Entry[]): void {
    if (load.purpose === "apply") this.#applyFeed.loaded(load, entries);
    else if (this.#role.name === "leader") this.#role.loaded(load, entries);
  }

  /** Answers a catch-up: the replica has been brought close to this point and is to install it. False: not wanted any more. */
  sendSnapshot(to: ReplicaId, point: SnapshotPoint): boolean {
    return this.#role.name === "leader" && this.#role.sendSnapshot(to, point);
  }

  /** Answers a catch-up that did not work; it is asked for again when the replica is heard of. */
  catchUpFailed(replica: ReplicaId): void {
    if (this.#role.name === "leader") this.#role.catchUpFailed(replica);
  }

  /** Answers an install: state machine, floor and configuration are durably those of the point. */
  installed(): void {
    const { installing: point, log, configurations, writes, id, term } = this.#state;
    assert(point);
    writes.truncateFrom(0);
    log.restart({ index: point.index, term: point.term }, point.nextOffset);
    configurations.restart(point.configuration);
    this.#endInstall();
    if (this.leader === noReplica) return;
    this.#state.sendDurably({
      kind: "appendAccepted",
      from: id,
      to: this.leader,
      term,
      matchIndex: point.index,
    });
  }

  /** Answers an install that did not work: nothing has changed here. */
  installFailed(): void {
    const { installing: point, id, term } = this.#state;
    assert(point);
    this.#endInstall();
    if (this.leader === noReplica) return;
    this.#state.send({ kind: "snapshotRefused", from: id, to: this.leader, term, index: point.index });
  }

  /** Whether `ready` would hand anything out. */
  get hasReady(): boolean {
    const state = this.#state;
    return (
      state.outbox.length > 0 ||
      state.hasUnstagedHardState ||
      state.log.hasUnstaged ||
      state.writes.hasWaiting ||
      this.#applyFeed.hasWork ||
      (this.#role.name === "leader" && this.#role.hasWork) ||
      state.reads.length > 0 ||
      state.catchUps.length > 0 ||
      state.loads.length > 0 ||
      (state.installing !== undefined && !this.#isInstallHanded) ||
      this.#hasLeadershipChanged
    );
  }

  /** Takes what is to be done; undefined for nothing. */
  ready(): Ready | undefined {
    if (!this.hasReady) return undefined;
    if (this.#role.name === "leader") this.#role.flush();
    const write = this.#stage();
    if (!this.#state.log.hasUnstaged) this.#release(this.#state.writes.takeUnconditional());
    const committed = this.#applyFeed.take();
    const { outbox: messages, loads, catchUps, reads } = this.#state;
    this.#state.outbox = [];
    this.#state.loads = [];
    this.#state.catchUps = [];
    this.#state.reads = [];
    return {
      write,
      messages,
      committed,
      loads,
      catchUps,
      install: this.#takeInstall(),
      reads,
      leadership: this.#takeLeadership(),
    };
  }

  #stage(): Write | undefined {
    const { log, hasUnstagedHardState } = this.#state;
    if (!hasUnstagedHardState && !log.hasUnstaged) return undefined;
    const hardState = this.#state.stageHardState();
    const entries = log.stage(this.#state.limits.writeBytesMax ?? Infinity);
    const token = this.#state.writes.begin({
      hardState: this.#state.hardState,
      truncations: log.truncations,
      lastIndex: entries.at(-1)?.index ?? 0,
      startedTick: this.#state.now,
      isLast: !log.hasUnstaged,
    });
    return { hardState, entries, token };
  }

  /** Messages whose promise is durable now; those of an earlier term promise to somebody who leads no more. */
  #release(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.term !== this.#state.term) continue;
      if (message.to === this.#state.id) this.step(message);
      else this.#state.send(message);
    }
  }

  #takeInstall(): SnapshotPoint | undefined {
    if (this.#isInstallHanded || !this.#state.installing) return undefined;
    this.#isInstallHanded = true;
    return this.#state.installing;
  }

  #endInstall(): void {
    this.#state.installing = undefined;
    this.#isInstallHanded = false;
    this.#applyFeed.restart();
  }

  get #leadership(): Leadership {
    return { role: this.role, term: this.term, leader: this.leader };
  }

  get #hasLeadershipChanged(): boolean {
    const told = this.#toldLeadership;
    return told.role !== this.role || told.term !== this.term || told.leader !== this.leader;
  }

  #takeLeadership(): Leadership | undefined {
    if (!this.#hasLeadershipChanged) return undefined;
    this.#toldLeadership = this.#leadership;
    return this.#toldLeadership;
  }

  #released(floor: Floor | undefined): Floor | undefined {
    if (floor) this.#state.configurations.releaseThrough(floor.index);
    return floor;
  }

  /** Tells a leader or candidate of an earlier term how far the group is, so that it does not stay behind for ever. */
  #answerStale(message: Message): void {
    const { id, term } = this.#state;
    const { kind, from } = message;
    if (isFromLeader(message)) {
      this.#state.send({ kind: "heartbeatAnswer", from: id, to: from, term, readContext: 0 });
    } else if (kind === "vote") {
      this.#state.send({
        kind: "voteAnswer",
        from: id,
        to: from,
        term,
        preVote: false,
        isGranted: false,
        ...commitPoint(this.#state),
      });
    }
  }

  /** Who hears a leader votes for nobody else, so that a lost replica that comes back does not depose it (Raft thesis, 4.2.3). */
  #isDisturbing({ from, isTransfer }: Vote): boolean {
    return !isTransfer && this.#role.hasLease && this.#role.leader !== from;
  }

  #enterLaterTerm(message: Message): void {
    const wasLeader = this.#role.name === "leader";
    this.#becomeFollower(message.term, leaderIn(message));
    // Somebody was in a later term, and nobody may lead it: the others still listen to this replica, so only it can be quick.
    if (wasLeader && message.kind === "heartbeatAnswer") this.campaign();
  }

  #becomeFollower(term: number, leader: ReplicaId): void {
    if (term > this.#state.term) this.#state.enterTerm(term);
    this.#role = new Follower(this.#state, this.#transitions, leader);
  }

  #campaign(campaign: { preVote: boolean; isTransfer: boolean }): void {
    const candidate = new Candidate(this.#state, this.#transitions, campaign);
    this.#role = candidate;
    candidate.start();
  }

  #becomeLeader(): void {
    const leader = new Leader(this.#state, this.#transitions);
    this.#role = leader;
    leader.start();
  }
}

function leaderIn(message: Message): ReplicaId {
  return isFromLeader(message) ? message.from : noReplica;
}

/** A PreVote asks and answers about a term that nobody has entered. */
function isAboutPreVote(message: Message): boolean {
  if (message.kind === "vote") return message.preVote;
  return message.kind === "voteAnswer" && message.preVote && message.isGranted;
}
