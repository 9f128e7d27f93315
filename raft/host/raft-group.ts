import { strict as assert } from "node:assert";
import type { Configuration } from "../core/configuration.ts";
import { members } from "../core/configuration.ts";
import type { ConfigurationProof } from "../core/configuration-history.ts";
import type { Entry, EntryId } from "../core/entry.ts";
import type { RaftOptions } from "../core/group-state.ts";
import type { MembershipRefusal, Proposal, TransferRefusal } from "../core/leader.ts";
import type { MembershipChange } from "../core/membership.ts";
import type { Message, SnapshotPoint } from "../core/messages.ts";
import type { Progress } from "../core/progress.ts";
import { Raft } from "../core/raft.ts";
import type { ConfirmedRead, Floor, Leadership, RoleName, WriteToken } from "../core/ready.ts";
import { nodeIdOf, type ReplicaId } from "../core/replica-id.ts";
import { HeardMajority } from "./heard-majority.ts";
import { PendingProposals } from "./pending-proposals.ts";
import { PendingReads, ReadUnconfirmedError } from "./pending-reads.ts";
import type { StateMachine } from "./state-machine.ts";

/** What a group is made from. */
export interface RaftGroupOptions {
  readonly id: number;
  readonly raft: RaftOptions;
  readonly stateMachine: StateMachine;
  /** Told that the group has something for the next pass. */
  readonly onWork: (group: RaftGroup) => void;
  /** Told of payload bytes that wait for the log, or that do so no more (below 0). */
  readonly onUnstagedBytes: (deltaBytes: number) => void;
}

/** One replica of a replication group on this node: what its owner sees of it. */
export class RaftGroup {
  readonly id: number;
  readonly stateMachine: StateMachine;
  /** Called, while set, whenever a replica may have more of this leader's log durably than before. */
  onProgress: (() => void) | undefined;
  /** The state machine that decides; only the host drives it. @internal */
  readonly raft: Raft;
  readonly #onWork: (group: RaftGroup) => void;
  readonly #onUnstagedBytes: (deltaBytes: number) => void;
  readonly #proposals: PendingProposals;
  readonly #reads: PendingReads;
  readonly #heard: HeardMajority;
  #durableTerm: number;
  #appliedTerm: number;
  #unstagedBytes = 0;
  #toldTerm: number;
  #isToldSettled = false;
  #isAlone: boolean;
  #configuration: Configuration;

  constructor({ id, raft, stateMachine, onWork, onUnstagedBytes }: RaftGroupOptions) {
    this.id = id;
    this.stateMachine = stateMachine;
    this.raft = new Raft(raft);
    this.#onWork = onWork;
    this.#onUnstagedBytes = onUnstagedBytes;
    this.#proposals = new PendingProposals(id);
    this.#reads = new PendingReads(id);
    this.#heard = new HeardMajority(this.raft.id);
    this.#durableTerm = this.raft.term;
    this.#appliedTerm = this.raft.floor.term;
    this.#toldTerm = this.raft.term;
    this.#configuration = this.raft.configuration;
    this.#isAlone = isAlone(this.#configuration, this.raft.id);
  }

  get term(): number {
    return this.raft.term;
  }

  get role(): RoleName {
    return this.raft.role;
  }

  /** Node that leads, as far as this one knows; -1 for none. */
  get leaderNodeId(): number {
    return nodeIdOf(this.raft.leader);
  }

  /** Leads, and the state machine knows that it does. */
  get isLeader(): boolean {
    return this.raft.role === "leader" && this.#toldTerm === this.raft.term;
  }

  /** Leads, and has applied an entry of its own term: only then is its state the group's newest, and proposals are in order. */
  get isSettledLeader(): boolean {
    return this.#appliedTerm === this.raft.term && this.isLeader;
  }

  /** Whether `propose` would take something: leads, and is not handing over. */
  get canPropose(): boolean {
    return this.isLeader && !this.raft.isTransferring;
  }

  /** Whether a crash leaves the term known: until then nobody may learn of it, for it could come once more. */
  get isTermDurable(): boolean {
    return this.#durableTerm === this.raft.term;
  }

  /** The offset that the next data entry gets. */
  get nextOffset(): number {
    return this.raft.nextOffset;
  }

  /** The offset behind an entry; undefined for one below the floor. */
  nextOffsetAt(index: number): number | undefined {
    return this.raft.nextOffsetAt(index);
  }

  get lastIndex(): number {
    return this.raft.lastIndex;
  }

  get commitIndex(): number {
    return this.raft.commitIndex;
  }

  get appliedIndex(): number {
    return this.raft.appliedIndex;
  }

  /** The last entry that is known to be committed. */
  get lastCommitted(): EntryId {
    const { commitIndex: index } = this.raft;
    return { index, term: this.raft.termAt(index) ?? 0 };
  }

  /** Whether the log has this entry of the group, which was committed, or has released it. */
  holds({ index, term }: EntryId): boolean {
    return this.raft.floor.index >= index || this.raft.termAt(index) === term;
  }

  get floor(): Floor {
    return this.raft.floor;
  }

  /** The committed configuration. */
  get configuration(): Configuration {
    return this.raft.configuration;
  }

  /** Where a restart would find that configuration; only one that is repeated, or stands at the floor, is certain then. */
  get configurationProof(): ConfigurationProof {
    return this.raft.configurationProof;
  }

  /** What a leader knows of its replicas; undefined for others. */
  get progress(): ReadonlyMap<ReplicaId, Readonly<Progress>> | undefined {
    return this.raft.progress;
  }

  /** Whether this replica is the only one: it needs no ticks and sends nothing. */
  get isAlone(): boolean {
    if (this.#configuration !== this.raft.configuration) {
      this.#configuration = this.raft.configuration;
      this.#isAlone = isAlone(this.#configuration, this.raft.id);
    }
    return this.#isAlone;
  }

  /** Puts an entry behind all others; undefined where this replica does not lead, or hands over. `apply` tells when it is committed. */
  propose(proposal: Proposal): Entry | undefined {
    const entry = this.isLeader ? this.raft.propose(proposal) : undefined;
    if (!entry) return undefined;
    this.#addUnstaged(entry.payload.length);
    this.#onWork(this);
    return entry;
  }

  /** Resolves when an entry that `propose` answered just now is applied. @throws IndefiniteProposalError */
  whenApplied(entry: Entry): Promise<void> {
    return this.#proposals.wait(entry);
  }

  /** Resolves with an index once everything up to it is applied here: a read after that sees all that was committed before the call. @throws ReadUnconfirmedError */
  readIndex(): Promise<number> {
    const read = this.#reads.begin((context) => this.raft.read(context));
    this.#onWork(this);
    return read;
  }

  /**
   * Whether this replica was the leader at `sinceMs` for certain, and its state the group's newest: a majority has
   * answered what it was asked then or later. A connection that breaks ends what is known.
   */
  hasLedSince(sinceMs: number): boolean {
    // Whom it hands over to may win without waiting for anybody's silence.
    if (!this.isSettledLeader || this.raft.isTransferring) return false;
    return this.isAlone || this.#heard.isSince(sinceMs, this.raft.configuration);
  }

  /** Asks a majority whether this replica leads; `nowMs` is when. @throws ReadUnconfirmedError */
  async confirmLeadership(nowMs: number): Promise<void> {
    if (this.isAlone && this.isSettledLeader) return;
    const { term } = this.raft;
    if (this.raft.role !== "leader") throw new ReadUnconfirmedError(this.id);
    try {
      await this.readIndex();
    } catch (error) {
      this.#heard.clear();
      throw error;
    }
    if (!this.isSettledLeader || this.raft.term !== term) throw new ReadUnconfirmedError(this.id);
    this.#heard.confirmed(nowMs);
  }

  /** A follower has answered a heartbeat that was sent at `askedMs`. @internal */
  heard(from: ReplicaId, { term, askedMs }: { readonly term: number; readonly askedMs: number }): void {
    if (this.raft.role === "leader" && this.raft.term === term) this.#heard.answered(from, askedMs);
  }

  /** The connection to a replica has broken. @internal */
  lost(replica: ReplicaId): void {
    this.raft.lost(replica);
    this.#heard.lost(replica);
  }

  /** Begins to change who belongs to the group; seen in `configuration` once committed. */
  changeMembership(change: MembershipChange): Entry | MembershipRefusal {
    const result = this.raft.changeMembership(change);
    this.#onWork(this);
    return result;
  }

  /** Hands leadership over, or tries to for an election timeout; undefined where that was begun. */
  transferTo(replica: ReplicaId): TransferRefusal | undefined {
    const refusal = this.raft.transferTo(replica);
    this.#onWork(this);
    return refusal;
  }

  /** Asks for leadership without waiting for the leader's silence. */
  campaign(): void {
    this.raft.campaign();
    this.#onWork(this);
  }

  /** Everything proposed has been handed to the log. @internal */
  staged(): void {
    if (this.#unstagedBytes > 0) this.#addUnstaged(-this.#unstagedBytes);
  }

  /** A write is durable. @internal */
  persisted(token: WriteToken): void {
    this.#durableTerm = Math.max(this.#durableTerm, token.term);
    this.raft.persisted(token);
    this.onProgress?.();
  }

  /** Term and vote of a write are durable, and its entries not yet. @internal */
  hardStatePersisted(token: WriteToken): void {
    this.#durableTerm = Math.max(this.#durableTerm, token.term);
    this.raft.hardStatePersisted(token);
  }

  /** A message from another replica has come in. @internal */
  step(message: Message): void {
    this.raft.step(message);
    if (message.kind === "appendAccepted") this.onProgress?.();
  }

  /** Applies committed entries, in order. @internal */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#appliedTerm = entry.term;
      this.stateMachine.apply(entry);
      this.#proposals.applied(entry);
    }
    const last = entries.at(-1);
    assert(last);
    this.raft.applied(last.index);
    // A replica alone has nobody who could need them again.
    if (this.isAlone) this.raft.trim(0);
    this.#tellWhenSettled();
    this.#reads.appliedTo(last.index);
  }

  /** Role, term or leader are others than before. @internal */
  changeLeadership(leadership: Leadership): void {
    this.#proposals.abandon();
    this.#reads.abandon();
    this.#heard.clear();
    this.#toldTerm = leadership.term;
    this.#isToldSettled = this.isSettledLeader;
    this.stateMachine.leadership?.({ ...leadership, isSettled: this.#isToldSettled });
  }

  /** Reads were confirmed by a majority. @internal */
  confirm(reads: readonly ConfirmedRead[]): void {
    for (const { context, index } of reads) this.#reads.confirmed(context, index);
    this.#reads.appliedTo(this.appliedIndex);
  }

  /** @internal */
  tick(readTicksMax: number): void {
    this.raft.tick();
    this.#reads.tick(readTicksMax);
  }

  /** State machine and floor stand durably at the point that `ready` named. @internal */
  installed(point: SnapshotPoint): void {
    this.#appliedTerm = point.term;
    this.#proposals.abandon();
    this.raft.installed();
    this.#reads.appliedTo(point.index);
  }

  /** Nothing happens here any more: who waits is told. @internal */
  close(): void {
    this.staged();
    this.#proposals.abandon();
    this.#reads.close();
  }

  #tellWhenSettled(): void {
    if (this.#isToldSettled || !this.isSettledLeader) return;
    this.#isToldSettled = true;
    const { role, term, leader } = this.raft;
    this.stateMachine.leadership?.({ role, term, leader, isSettled: true });
  }

  #addUnstaged(deltaBytes: number): void {
    this.#unstagedBytes += deltaBytes;
    this.#onUnstagedBytes(deltaBytes);
  }
}

function isAlone(configuration: Configuration, replica: ReplicaId): boolean {
  const all = members(configuration);
  return all.length === 1 && all[0] === replica && configuration.voters.length === 1;
}
