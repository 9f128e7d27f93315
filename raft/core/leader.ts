import { strict as assert } from "node:assert";
import { encodeConfiguration, isJoint, isVoter, members } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import type { GroupState } from "./group-state.ts";
import { changed, type MembershipChange, type MembershipProblem } from "./membership.ts";
import type {
  AppendAccepted,
  AppendRejected,
  HeartbeatAnswer,
  Message,
  SnapshotPoint,
  SnapshotRefused,
} from "./messages.ts";
import { Progress } from "./progress.ts";
import { reachedByQuorum, voteResult } from "./quorum.ts";
import { ReadRequests } from "./read-index.ts";
import type { Load } from "./ready.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";
import { Replicator } from "./replicator.ts";
import type { Role, Transitions } from "./role.ts";

/** A proposal before the group gives it its index and term. */
export type Proposal = Omit<Entry, "index" | "term">;

/** Why a membership change was not begun. */
export type MembershipRefusal = MembershipProblem | "not-leader" | "change-pending" | "transferring";

/** Why leadership cannot go to a replica. */
export type TransferRefusal = "not-leader" | "not-a-voter";

/** Gives entries their places, gets them to the others and tells what is committed. */
export class Leader implements Role {
  readonly name = "leader";
  readonly hasLease = true;
  readonly #state: GroupState;
  readonly #transitions: Transitions;
  readonly #progress = new Map<ReplicaId, Progress>();
  readonly #replicator: Replicator;
  readonly #reads = new ReadRequests();
  /** The first entry of this term: until it is committed the leader does not know what is. */
  readonly #firstIndex: number;
  /** No further configuration before this entry is committed. */
  #pendingChangeIndex: number;
  #heartbeatTicks = 0;
  #checkTicks = 0;
  #transfer: { readonly to: ReplicaId; ticks: number; isSent: boolean } | undefined;

  constructor(state: GroupState, transitions: Transitions) {
    this.#state = state;
    this.#transitions = transitions;
    this.#replicator = new Replicator(state, this.#progress);
    this.#firstIndex = state.log.lastIndex + 1;
    this.#pendingChangeIndex = this.#firstIndex;
    this.#trackMembers({ isActive: false });
  }

  get leader(): ReplicaId {
    return this.#state.id;
  }

  /** Whether an entry of this term is committed: only then are the commit index and the applied state the group's newest. */
  get hasCommittedInTerm(): boolean {
    return this.#state.log.commitIndex >= this.#firstIndex;
  }

  get isTransferring(): boolean {
    return this.#transfer !== undefined;
  }

  /** What it knows of the others, by replica. */
  get progress(): ReadonlyMap<ReplicaId, Progress> {
    return this.#progress;
  }

  /** The term's first entry, which commits those of earlier terms along with it (Raft thesis, 3.6.2 and 6.4). */
  start(): void {
    this.#append({
      kind: "noop",
      baseOffset: this.#state.log.nextOffset,
      offsetCount: 0,
      payload: new Uint8Array(0),
    });
  }

  /** Puts an entry behind all others. */
  propose(proposal: Proposal): Entry | undefined {
    if (this.#transfer) return undefined;
    return this.#append(proposal);
  }

  changeMembership(change: MembershipChange): Entry | MembershipRefusal {
    if (this.#transfer) return "transferring";
    if (this.#state.log.commitIndex < this.#pendingChangeIndex) return "change-pending";
    const next = changed(this.#state.configuration, change);
    if (typeof next === "string") return next;
    const entry = this.#append({
      kind: "configuration",
      baseOffset: this.#state.log.nextOffset,
      offsetCount: 0,
      payload: encodeConfiguration(next),
    });
    this.#pendingChangeIndex = entry.index;
    return entry;
  }

  /** Stops proposals, brings the replica up to date and tells it to campaign; gives up after an election timeout. */
  transferTo(to: ReplicaId): TransferRefusal | undefined {
    if (to === this.#state.id) return undefined;
    if (!isVoter(this.#state.configuration, to)) return "not-a-voter";
    if (this.#transfer?.to === to) return undefined;
    this.#transfer = { to, ticks: 0, isSent: false };
    this.#continueTransfer();
    return undefined;
  }

  /** Starts a linearizable read; false where too many wait. */
  read(from: ReplicaId, context: number): boolean {
    if (this.#reads.count >= this.#state.limits.readsMax) return false;
    if (this.hasCommittedInTerm) this.#reads.add({ from, context, index: this.#state.log.commitIndex });
    else this.#reads.addEarly({ from, context });
    return true;
  }

  /** The log is durable up to a further entry: the leader counts itself up to there and no further. */
  persisted(): void {
    const own = this.#progress.get(this.#state.id);
    if (own) own.matchIndex = this.#state.log.persistedIndex;
    this.#commitWhatAMajorityHas();
  }

  /** Sends what has gathered: entries, commit indexes, rounds of reads. Called when the host asks for what is ready. */
  flush(): void {
    if (this.#reads.isRoundDue) {
      this.#sendHeartbeats();
      this.#confirmReads();
    }
    this.#replicator.sendAll();
  }

  /** Whether followers have entries of which they are not told yet that they are committed. */
  get hasUntoldCommits(): boolean {
    return this.#replicator.hasUntoldCommits;
  }

  /** Lets the next `flush` tell them. */
  tellCommits(): void {
    this.#replicator.tellCommits();
  }

  /** Whether `flush` has something to do. */
  get hasWork(): boolean {
    return this.#replicator.isDue || this.#reads.isRoundDue;
  }

  /** Entries that a replica needs came from the journal; none: they are there no more. */
  loaded(load: Load, entries: readonly Entry[]): void {
    if (load.term === this.#state.term) this.#replicator.loaded(load, entries);
  }

  sendSnapshot(to: ReplicaId, point: SnapshotPoint): boolean {
    return this.#replicator.sendSnapshot(to, point);
  }

  catchUpFailed(replica: ReplicaId): void {
    this.#replicator.catchUpFailed(replica);
  }

  /** What was sent to a replica may be lost: find out what it has. */
  unreachable(replica: ReplicaId): void {
    const progress = this.#progress.get(replica);
    if (progress?.state === "replicate") progress.becomeProbe(progress.matchIndex + 1);
  }

  /** What was sent to a replica was dropped on this side, and it can be reached again: find out at once what it has. */
  resend(replica: ReplicaId): void {
    this.unreachable(replica);
    this.#replicator.isDue = true;
  }

  tick(): void {
    this.#heartbeatTicks += 1;
    if (this.#heartbeatTicks >= this.#state.heartbeatTicks) this.#sendHeartbeats();
    if (this.#transfer) {
      this.#transfer.ticks += 1;
      if (this.#transfer.ticks >= this.#state.electionTicks) this.#transfer = undefined;
    }
    this.#checkTicks += 1;
    if (this.#checkTicks >= this.#state.electionTicks) this.#checkFitness();
  }

  step(message: Message): void {
    switch (message.kind) {
      case "appendAccepted":
        this.#accepted(message);
        break;
      case "appendRejected":
        this.#rejected(message);
        break;
      case "heartbeatAnswer":
        this.#heartbeatAnswered(message);
        break;
      case "snapshotRefused":
        this.#snapshotRefused(message);
        break;
      case "readIndex":
        this.read(message.from, message.context);
        break;
      case "append":
      case "heartbeat":
      case "snapshot":
        // Two leaders in one term would end all that Raft promises.
        assert.fail();
        break;
      default:
      // Late answers to its campaign.
    }
  }

  #append(proposal: Proposal): Entry {
    const { log, term } = this.#state;
    assert(proposal.baseOffset === log.nextOffset);
    const entry: Entry = {
      index: log.lastIndex + 1,
      term,
      kind: proposal.kind,
      baseOffset: proposal.baseOffset,
      offsetCount: proposal.offsetCount,
      payload: proposal.payload,
    };
    this.#state.append(entry);
    this.#replicator.isDue = true;
    return entry;
  }

  #accepted({ from, matchIndex }: AppendAccepted): void {
    const progress = this.#heardOf(from);
    if (!progress) return;
    // Who acknowledges what was never sent has another log than this one.
    assert(matchIndex <= this.#state.log.lastIndex);
    if (!this.#replicator.accepted(progress, matchIndex)) return;
    this.#commitWhatAMajorityHas();
    this.#continueTransfer();
  }

  #rejected({ from, rejectedIndex, hintIndex, hintTerm }: AppendRejected): void {
    const progress = this.#heardOf(from);
    if (!progress) return;
    const { log } = this.#state;
    // Entries of this log with a later term than the hint's cannot match either.
    const bestIndex = hintTerm > 0 ? log.lastIndexWithTermUpTo(hintIndex, hintTerm) : hintIndex;
    if (progress.refused(rejectedIndex, bestIndex)) this.#replicator.isDue = true;
  }

  #heartbeatAnswered({ from, readContext }: HeartbeatAnswer): void {
    const progress = this.#heardOf(from);
    if (!progress) return;
    this.#replicator.heardOf(progress);
    if (readContext <= progress.readContext) return;
    progress.readContext = readContext;
    this.#confirmReads();
  }

  #snapshotRefused({ from, index }: SnapshotRefused): void {
    const progress = this.#heardOf(from);
    if (progress?.point?.index === index) this.#replicator.catchUpFailed(from);
  }

  #heardOf(replica: ReplicaId): Progress | undefined {
    const progress = this.#progress.get(replica);
    if (progress) progress.isActive = true;
    return progress;
  }

  #sendHeartbeats(): void {
    this.#heartbeatTicks = 0;
    const { id, term, log } = this.#state;
    const readContext = this.#reads.round;
    for (const [to, progress] of this.#progress) {
      if (to === id) continue;
      // What is not known to match there must not be committed there.
      const commitIndex = Math.min(log.commitIndex, progress.matchIndex);
      this.#state.send({ kind: "heartbeat", from: id, to, term, commitIndex, readContext });
    }
    this.#reads.roundSent();
  }

  /** A leader that a majority does not hear, or whose disk hangs, makes way (Raft thesis, 6.2). */
  #checkFitness(): void {
    this.#checkTicks = 0;
    const { id, configuration } = this.#state;
    const isAlone = configuration.voters.length === 1 && !isJoint(configuration);
    const hasMajority =
      voteResult(configuration, (voter) => voter === id || this.#progress.get(voter)?.isActive) === "won";
    for (const progress of this.#progress.values()) progress.isActive = false;
    if (!hasMajority || (this.#state.isDiskStalled && !isAlone)) {
      this.#transitions.becomeFollower(this.#state.term, noReplica);
      return;
    }
    this.#replicator.repeatSnapshots();
  }

  /** Only an entry of its own term is committed by counting; earlier ones come along (Raft figure 8). */
  #commitWhatAMajorityHas(): void {
    const { log, configuration } = this.#state;
    const index = reachedByQuorum(configuration, (voter) => this.#progress.get(voter)?.matchIndex ?? 0);
    if (index <= log.commitIndex || index > log.lastIndex || log.termAt(index) !== this.#state.term) return;
    const hadCommittedInTerm = this.hasCommittedInTerm;
    if (this.#state.configurations.changesThrough(index)) {
      this.#commitConfiguration(index);
      return;
    }
    this.#state.commitTo(index);
    this.#replicator.isDue = true;
    if (!hadCommittedInTerm) this.#reads.startEarly(index);
  }

  #commitConfiguration(index: number): void {
    const hadCommittedInTerm = this.hasCommittedInTerm;
    const { log, configurations } = this.#state;
    log.commitTo(index);
    // Those who leave hear of it first: afterwards they are told nothing.
    this.#replicator.tellCommits();
    this.#replicator.sendAll();
    configurations.commitTo(index);
    // Who is new has had no time to be heard of.
    this.#trackMembers({ isActive: true });
    if (!hadCommittedInTerm) this.#reads.startEarly(index);
    if (!isVoter(this.#state.configuration, this.#state.id)) {
      this.#leave();
      return;
    }
    if (this.#transfer && !isVoter(this.#state.configuration, this.#transfer.to)) this.#transfer = undefined;
    this.#leaveJoint();
    this.#replicator.isDue = true;
    // Other voters may have more than those before.
    this.#commitWhatAMajorityHas();
  }

  #leaveJoint(): void {
    const { configuration, log } = this.#state;
    if (!isJoint(configuration) || !configuration.autoLeave) return;
    if (log.commitIndex < this.#pendingChangeIndex) return;
    const next = changed(configuration, { kind: "leave" });
    assert(typeof next !== "string");
    const entry = this.#append({
      kind: "configuration",
      baseOffset: log.nextOffset,
      offsetCount: 0,
      payload: encodeConfiguration(next),
    });
    this.#pendingChangeIndex = entry.index;
  }

  /** This replica has no vote any more: the best of those who have is asked to campaign. */
  #leave(): void {
    const { id, term, configuration } = this.#state;
    let best: ReplicaId = noReplica;
    let bestMatchIndex = -1;
    for (const voter of configuration.voters) {
      const matchIndex = this.#progress.get(voter)?.matchIndex ?? -1;
      if (matchIndex <= bestMatchIndex) continue;
      best = voter;
      bestMatchIndex = matchIndex;
    }
    this.#state.send({ kind: "timeoutNow", from: id, to: best, term });
    this.#transitions.becomeFollower(term, noReplica);
  }

  #continueTransfer(): void {
    const transfer = this.#transfer;
    if (!transfer || transfer.isSent) return;
    const { id, term, log } = this.#state;
    if (this.#progress.get(transfer.to)?.matchIndex !== log.lastIndex) return;
    transfer.isSent = true;
    this.#state.send({ kind: "timeoutNow", from: id, to: transfer.to, term });
  }

  #confirmReads(): void {
    const { id, term, configuration } = this.#state;
    const round = reachedByQuorum(configuration, (voter) =>
      voter === id ? Infinity : (this.#progress.get(voter)?.readContext ?? 0),
    );
    for (const { from, context, index } of this.#reads.confirmedBy(round)) {
      if (from === id) this.#state.reads.push({ context, index });
      else this.#state.send({ kind: "readIndexAnswer", from: id, to: from, term, context, index });
    }
  }

  #trackMembers({ isActive }: { isActive: boolean }): void {
    const { id, log, limits, configuration } = this.#state;
    const ids = members(configuration);
    for (const replica of this.#progress.keys()) if (!ids.includes(replica)) this.#progress.delete(replica);
    for (const replica of ids) {
      if (this.#progress.has(replica)) continue;
      const progress = new Progress(log.lastIndex + 1, limits.inflight);
      progress.isActive = isActive;
      if (replica === id) progress.matchIndex = log.persistedIndex;
      this.#progress.set(replica, progress);
    }
  }
}
