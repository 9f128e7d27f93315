import { strict as assert } from "node:assert";
import type { Configuration } from "./configuration.ts";
import { isVoter } from "./configuration.ts";
import { ConfigurationHistory } from "./configuration-history.ts";
import { DurableWrites } from "./durable-writes.ts";
import type { Entry, HardState } from "./entry.ts";
import type { InflightLimits } from "./inflight.ts";
import type { Message, SnapshotPoint } from "./messages.ts";
import { RaftLog, type StoredEntry } from "./raft-log.ts";
import type { ConfirmedRead, Floor, Load } from "./ready.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";

/** Bounds of one group. */
export interface RaftLimits {
  /** Payload bytes of one append; a single larger entry goes alone. */
  readonly appendBytesMax: number;
  /** What may be on its way to one replica. */
  readonly inflight: InflightLimits;
  /** Payload bytes of applied entries that stay in memory. */
  readonly recentBytesMax: number;
  /** Payload bytes that one load brings. */
  readonly loadBytesMax: number;
  /** Payload bytes of one write, a single larger entry goes alone; any number unless told. Each counts when it is durable. */
  readonly writeBytesMax?: number;
  /** Reads that wait at the same time; more are refused. */
  readonly readsMax: number;
}

/** What a replica starts from: what the disk kept, or nothing for a new one. */
export interface RaftOptions {
  readonly id: ReplicaId;
  /** Ticks of silence after which a follower campaigns, at the least; also how long a leader lasts without a majority or a disk. */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats. */
  readonly heartbeatTicks: number;
  /** A random number of ticks from 0 up to, and without, `below`: so that replicas do not campaign at the same time. */
  readonly electionJitter: (below: number) => number;
  /** Ticks that it leaves to others, besides, before it campaigns; may change at any time. None unless told. */
  readonly reluctanceTicks?: () => number;
  readonly limits: RaftLimits;
  /** As leader it tells followers of a commit with their next entries, or when `tellCommits` asks for it; at once unless told. */
  readonly tellsCommitsLate?: boolean;
  readonly hardState?: HardState;
  /** Set where the replica has been here before and forgotten its log: the first term in which it takes part again. */
  readonly rejoinTerm?: number | undefined;
  readonly floor?: Floor;
  /** The configuration as of the floor; empty for a replica that is to learn it from a leader. */
  readonly configuration: Configuration;
  /** Where the state machine's data ends at the floor. */
  readonly nextOffset?: number;
  readonly entries?: readonly StoredEntry[];
}

/** What a replica is whatever its role: identity, term and vote, log, configuration, and what waits for `ready`. */
export class GroupState {
  readonly id: ReplicaId;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly reluctanceTicks: () => number;
  readonly limits: RaftLimits;
  readonly tellsCommitsLate: boolean;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  readonly writes = new DurableWrites();
  /** The first term in which a replica takes part again that has forgotten its log; 0 for all others. */
  readonly rejoinTerm: number;
  readonly #jitter: (below: number) => number;

  #hardState: HardState;
  #isHardStateStaged = true;
  /** Ticks since the start. */
  now = 0;
  /** The point that the host is installing, or is to install. */
  installing: SnapshotPoint | undefined;
  outbox: Message[] = [];
  loads: Load[] = [];
  catchUps: ReplicaId[] = [];
  reads: ConfirmedRead[] = [];

  constructor(options: RaftOptions) {
    assert(options.heartbeatTicks > 0 && options.electionTicks > options.heartbeatTicks);
    this.id = options.id;
    this.electionTicks = options.electionTicks;
    this.heartbeatTicks = options.heartbeatTicks;
    this.reluctanceTicks = options.reluctanceTicks ?? (() => 0);
    this.limits = options.limits;
    this.tellsCommitsLate = options.tellsCommitsLate ?? false;
    this.#jitter = options.electionJitter;
    this.#hardState = options.hardState ?? { term: 0, votedFor: noReplica };
    this.rejoinTerm = options.rejoinTerm ?? 0;
    // What it said before is told from what it says now by the term alone.
    assert(this.term >= this.rejoinTerm);
    this.configurations = new ConfigurationHistory(options.configuration);
    const entries = options.entries ?? [];
    this.log = new RaftLog({
      floor: options.floor ?? { index: 0, term: 0 },
      nextOffset: options.nextOffset ?? 0,
      entries,
      recentBytesMax: options.limits.recentBytesMax,
    });
    for (const entry of entries) this.configurations.note(entry);
    // A vote or a term is never behind the entries: they are written after it.
    assert(this.log.lastTerm <= this.term);
    this.commitTo(Math.max(this.log.commitIndex, this.configurations.provenCommitIndex));
  }

  get term(): number {
    return this.#hardState.term;
  }

  get votedFor(): ReplicaId {
    return this.#hardState.votedFor;
  }

  get configuration(): Configuration {
    return this.configurations.current;
  }

  /** Enters a later term, in which nobody was voted for yet. */
  enterTerm(term: number): void {
    assert(term > this.term);
    this.#hardState = { term, votedFor: noReplica };
    this.#isHardStateStaged = false;
  }

  voteFor(candidate: ReplicaId): void {
    if (this.votedFor === candidate) return;
    assert(this.votedFor === noReplica);
    this.#hardState = { term: this.term, votedFor: candidate };
    this.#isHardStateStaged = false;
  }

  get hasUnstagedHardState(): boolean {
    return !this.#isHardStateStaged;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** The hard state where it is to be written; it is on its way to the disk now. */
  stageHardState(): HardState | undefined {
    if (this.#isHardStateStaged) return undefined;
    this.#isHardStateStaged = true;
    return this.#hardState;
  }

  /** Sends at once: the message promises nothing that has to be durable. */
  send(message: Message): void {
    this.outbox.push(message);
  }

  /** Sends as soon as all that this replica knows now is durable. */
  sendDurably(message: Message): void {
    this.writes.promise(message);
  }

  append(entry: Entry): void {
    this.log.push(entry);
    this.configurations.note(entry);
  }

  truncateFrom(index: number): void {
    this.log.truncateFrom(index);
    this.configurations.truncateFrom(index);
    this.writes.truncateFrom(index);
  }

  /** Forgets entries from `index` on that the disk does not have, as a crash would, but those that are committed; answers where it began. */
  discardFrom(index: number): number {
    const { log, configurations, writes } = this;
    assert(index > log.persistedIndex);
    const first = Math.max(index, log.commitIndex + 1);
    if (first > log.lastIndex) return first;
    log.truncateFrom(first);
    configurations.truncateFrom(first);
    writes.discardFrom(first);
    return first;
  }

  /** Commits, and lets a configuration that is committed by it take effect. */
  commitTo(index: number): void {
    this.log.commitTo(index);
    this.configurations.commitTo(this.log.commitIndex);
  }

  /** How long this time to wait for a leader. */
  electionTimeoutTicks(): number {
    return this.electionTicks + this.#jitter(this.electionTicks);
  }

  /** How long this time to wait for answers to a PreVote, which may be repeated because it disturbs nobody. */
  preVoteTimeoutTicks(): number {
    const half = Math.ceil(this.electionTicks / 2);
    return half + this.#jitter(half);
  }

  /**
   * How long to wait once the leader is known to be gone: short, and, because all know it at about the same time,
   * another time for each, so that they do not split the votes. Who is first changes from term to term.
   */
  hurriedTicks(): number {
    const { voters } = this.configuration;
    const rank = (Math.max(0, voters.indexOf(this.id)) + this.term) % Math.max(1, voters.length);
    return 1 + 2 * rank + this.#jitter(2);
  }

  /** The disk has not completed a write within an election timeout: who cannot write must not lead. */
  get isDiskStalled(): boolean {
    const oldestTick = this.writes.oldestTick;
    return oldestTick !== undefined && this.now - oldestTick >= this.electionTicks;
  }

  /**
   * Whether its log tells good candidates from bad ones. To a log that was forgotten every other one looks as good, and
   * so it does to its beginning; from the first entry of a leader who led after that it holds all that was committed
   * before.
   */
  get mayVote(): boolean {
    return this.configurations.isKnown && this.log.lastTerm >= this.rejoinTerm;
  }

  /** Whether it may campaign. */
  get canCampaign(): boolean {
    return isVoter(this.configuration, this.id) && this.mayVote && !this.installing && !this.isDiskStalled;
  }
}
