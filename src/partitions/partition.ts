import { strict as assert } from "node:assert";
import { type BatchHeader, readBatchHeader, stampBatch } from "#protocol/records/batch.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { GroupLeadership, StateMachine } from "#raft/host/state-machine.ts";
import type { Log } from "#storage/log/log.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import { AwaitedCommits, type CommitWait } from "./awaited-commits.ts";
import type { CommitDeadlines } from "./commit-deadlines.ts";
import { decodePartitionCommand, encodePartitionCommand } from "./partition-command.ts";
import { LeadershipLostError, PartitionClosedError } from "./partition-errors.ts";
import { PartitionReplicas } from "./partition-replicas.ts";
import { ProducerTable } from "./producer-table.ts";
import { RecentRefusal } from "./recent-refusal.ts";
import { Trims } from "./trims.ts";
import { UncommittedBytes, type UncommittedShare } from "./uncommitted-bytes.ts";

/** A batch that has been judged and may be appended. */
export interface AdmittedBatch {
  /** The whole batch; offset and epoch are stamped into it in place. */
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
}

/** What became of a batch. The offsets are final; they are readable once `whenCommitted(nextOffset)`. */
export type AppendOutcome =
  | { readonly kind: "appended"; readonly baseOffset: number; readonly nextOffset: number }
  | {
      readonly kind: "duplicate";
      readonly baseOffset: number;
      readonly nextOffset: number;
      /** As the first of them was appended. */
      readonly maxTimestampMs: number;
    }
  | { readonly kind: "outOfOrder"; readonly expectedSequence: number }
  | { readonly kind: "fenced"; readonly currentEpoch: number }
  | { readonly kind: "notLeader" };

export interface PartitionOptions {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  readonly groupId: number;
  readonly log: Log;
  readonly settings: TopicSettings;
  /** Wall time of this start: producers found in the log count as active then, whatever their records say. */
  readonly startedMs: number;
  /** Awaited before batches are read back from the journal: keeps dirty memory within its bound. */
  readonly makeRoom?: () => Promise<void>;
  /** Whether a node can be talked to now; this one always. Every one, unless told. */
  readonly isReachable?: (nodeId: number) => boolean;
  /** Monotonic time, and for how long after it heard of a majority a leader is one for certain. */
  readonly lease?: { readonly monotonicMs: () => number; readonly leaseMs: number };
  /** Who ends waits; without it they end with a commit or with leadership. */
  readonly deadlines?: CommitDeadlines;
  /** What all partitions of the node have proposed. */
  readonly uncommitted?: UncommittedBytes;
  /** Told when `isLeader` may have another value. */
  readonly onLeadership?: (partition: Partition) => void;
  /** Moves the log's start, durably; without it only the log itself is told. */
  readonly executeTrim?: (partition: Partition, startOffset: number) => Promise<void>;
}

/**
 * One partition on this node: orders batches through its replication group and makes them readable when
 * committed.
 *
 * Invariant: log.startOffset ≤ high watermark = log.nextOffset ≤ next offset to propose.
 */
export class Partition implements StateMachine {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  readonly groupId: number;
  readonly log: Log;
  readonly producers = new ProducerTable();
  readonly replicas: PartitionReplicas;
  settings: TopicSettings;

  readonly #startedMs: number;
  readonly #makeRoom: (() => Promise<void>) | undefined;
  readonly #onLeadership: ((partition: Partition) => void) | undefined;
  /** The last term that this node led: what was proposed in it is in the producer table before it is applied. */
  #ledTerm = -1;
  #group: RaftGroup | undefined;
  #isClosed = false;
  readonly #trims: Trims;
  readonly #lease: PartitionOptions["lease"];
  readonly #refusal: RecentRefusal;
  readonly #commits: AwaitedCommits;
  readonly #uncommitted: UncommittedShare;
  readonly #watchers = new Set<() => void>();

  constructor(options: PartitionOptions) {
    this.topic = options.topic;
    this.topicId = options.topicId;
    this.index = options.index;
    this.groupId = options.groupId;
    this.log = options.log;
    this.settings = options.settings;
    this.#startedMs = options.startedMs;
    this.#makeRoom = options.makeRoom;
    this.#onLeadership = options.onLeadership;
    this.replicas = new PartitionReplicas({
      group: () => this.#group,
      isReachable: options.isReachable ?? (() => true),
      minInsyncReplicas: () => this.settings.minInsyncReplicas,
    });
    this.#lease = options.lease;
    this.#refusal = new RecentRefusal(this.producers, options.lease);
    this.#commits = new AwaitedCommits({
      partition: this,
      group: () => this.#group,
      deadlines: options.deadlines,
    });
    this.#uncommitted = (options.uncommitted ?? new UncommittedBytes()).share();
    const { executeTrim = ({ log }, startOffset) => log.trimTo(startOffset) } = options;
    const { log } = this;
    this.#trims = new Trims({
      get diskStartOffset() {
        return log.startOffset;
      },
      propose: (startOffset) => this.#proposeTrim(startOffset),
      execute: (startOffset) => executeTrim(this, startOffset),
    });
  }

  get name(): string {
    return `${this.topic}-${this.index}`;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isLeader(): boolean {
    return !this.#isClosed && (this.#group?.isSettledLeader ?? false);
  }

  /** The node that leads it, as far as this one knows; -1 for none. */
  get leaderNodeId(): number {
    return this.#group?.leaderNodeId ?? -1;
  }

  /**
   * Whether nobody else can lead by now, as far as time tells: a process that stood still finds out here, before
   * anybody has told it.
   */
  get isCertainLeader(): boolean {
    if (!this.isLeader || !this.#group || !this.#lease) return this.isLeader;
    const { monotonicMs, leaseMs } = this.#lease;
    return this.#group.isAlone || this.#group.hasLedSince(monotonicMs() - leaseMs);
  }

  /** Resolves once a majority has said that this replica leads, with all that was committed applied. @throws ReadUnconfirmedError, LeadershipLostError */
  async confirmLeadership(): Promise<void> {
    if (!this.isLeader || !this.#group) throw new LeadershipLostError(this);
    await this.#group.confirmLeadership(this.#lease?.monotonicMs() ?? 0);
  }

  /** Kafka's leader epoch is the group's term. */
  get leaderEpoch(): number {
    return this.#group?.term ?? -1;
  }

  /** The node that this replica follows; -1 for none, or where it leads itself. */
  get followedNodeId(): number {
    const group = this.#group;
    return group && !this.#isClosed && group.role === "follower" ? group.leaderNodeId : -1;
  }

  /** Where what this replica has ends, committed or not. */
  get endOffset(): number {
    return Math.max(this.highWatermark, this.#group?.nextOffset ?? 0);
  }

  get highWatermark(): number {
    return this.log.nextOffset;
  }

  /** Where `epoch`, or the largest below it, ended (KIP-320); (-1, -1) for one that is not known. */
  endOffsetOfEpoch(epoch: number): { epoch: number; endOffset: number } {
    const latest = this.log.epochs().at(-1)?.epoch ?? -1;
    // Epochs without a batch leave no trace in the log, but those up to ours are known: they end where it does.
    if (epoch === this.leaderEpoch) return { epoch, endOffset: this.highWatermark };
    if (epoch > latest && epoch < this.leaderEpoch) {
      return { epoch: latest < 0 ? epoch : latest, endOffset: this.highWatermark };
    }
    return this.log.endOffsetOfEpoch(epoch);
  }

  /** Where read_committed readers stop (KIP-98). Without transactions nothing is undecided. */
  get lastStableOffset(): number {
    return this.highWatermark;
  }

  /** Never goes back, whoever leads: what the group has agreed to remove counts at once, before it leaves the disk. */
  get logStartOffset(): number {
    return Math.max(this.log.startOffset, this.#trims.agreedOffset);
  }

  /** Whether the disk still holds what the group has agreed to remove: the entry that says so is needed until then. */
  get isTrimPending(): boolean {
    return this.#trims.isPending;
  }

  /** Connects the group that orders this partition. */
  lead(group: RaftGroup): void {
    this.#group = group;
  }

  /** Numbers and proposes a batch, or says why not; synchronous, so that judging and numbering are one step. */
  append({ bytes, header }: AdmittedBatch, nowMs: number): AppendOutcome {
    const group = this.#group;
    if (!group?.canPropose || !this.isLeader) {
      this.refusedForNow();
      return { kind: "notLeader" };
    }
    const isSequenced = header.producerId >= 0;
    if (isSequenced) {
      const verdict = this.producers.check(header);
      if (verdict.kind === "duplicate") {
        const { baseOffset, nextOffset, maxTimestampMs } = verdict.batch;
        return { kind: "duplicate", baseOffset, nextOffset, maxTimestampMs };
      }
      if (this.#refusal.mayExplain(verdict, header)) return { kind: "notLeader" };
      if (verdict.kind !== "next") return verdict;
    }

    const baseOffset = group.nextOffset;
    const nextOffset = baseOffset + header.lastOffsetDelta + 1;
    stampBatch(bytes, 0, { baseOffset, leaderEpoch: group.term });
    if (isSequenced) {
      const place = { baseOffset, nextOffset, maxTimestampMs: header.maxTimestampMs };
      this.producers.append(header, place, nowMs, this.highWatermark);
    }
    const entry = group.propose({
      kind: "data",
      baseOffset,
      offsetCount: nextOffset - baseOffset,
      payload: bytes,
    });
    assert(entry);
    this.#uncommitted.add(bytes.length);
    return { kind: "appended", baseOffset, nextOffset };
  }

  /** A batch was refused here for a reason that may pass at any time. */
  refusedForNow(): void {
    this.#refusal.note();
  }

  /**
   * Removes everything below `startOffset`, which is committed, from all replicas (DeleteRecords); resolves once the
   * group has agreed and it is done here. @throws LeadershipLostError, IndefiniteProposalError, LogClosedError, DiskError
   */
  trimTo(startOffset: number): Promise<void> {
    assert(startOffset <= this.highWatermark);
    return startOffset <= this.logStartOffset ? this.#trims.whenDone() : this.#trims.trimTo(startOffset);
  }

  /** Resolves when the disk holds no more than it should. */
  whenTrimmed(): Promise<void> {
    return this.#trims.whenDone();
  }

  async #proposeTrim(startOffset: number): Promise<void> {
    const group = this.#group;
    const entry = this.isLeader
      ? group?.propose({
          kind: "command",
          baseOffset: group.nextOffset,
          offsetCount: 0,
          payload: encodePartitionCommand({ kind: "trim", startOffset }),
        })
      : undefined;
    if (!group || !entry) throw new LeadershipLostError(this);
    await group.whenApplied(entry);
  }

  /**
   * Resolves when everything below `nextOffset` is committed and readable, and where that is waited for, when
   * `min.insync.replicas` have all that is proposed by now.
   * @throws PartitionClosedError, LeadershipLostError, CommitTimeoutError, NotEnoughReplicasError
   */
  whenCommitted(nextOffset: number, wait?: CommitWait): Promise<void> {
    return this.#commits.when(nextOffset, wait);
  }

  /** Calls back after each commit and at the end of the partition, until the answer is called. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** In another term, or without leadership, nobody knows what becomes of what is not committed. */
  leadership(leadership: GroupLeadership): void {
    const { role, term } = leadership;
    if (role !== "leader" || term !== this.#ledTerm) this.#beginTerm(leadership);
    this.#onLeadership?.(this);
  }

  #beginTerm({ role, term }: GroupLeadership): void {
    this.#commits.abandon(() => new LeadershipLostError(this));
    this.#uncommitted.forget();
    // What is committed yet will be learned again when it is applied.
    this.producers.truncateTo(this.highWatermark);
    this.#ledTerm = role === "leader" ? term : -1;
    // Of what was proposed and is not committed, nobody was told that it is there.
    if (!this.#group?.isAlone) this.refusedForNow();
    this.#notifyWatchers();
  }

  wantsPayload({ kind, baseOffset, offsetCount }: Omit<Entry, "payload">): boolean {
    if (kind === "command") return true;
    return kind === "data" && baseOffset + offsetCount > this.log.nextOffset;
  }

  beforeReplay(): Promise<void> {
    return this.makeRoom();
  }

  apply(entry: Entry): void {
    if (entry.kind === "command") this.#applyCommand(entry);
    // After a crash the journal still has entries whose batches reached the segments.
    if (entry.kind !== "data" || entry.baseOffset + entry.offsetCount <= this.log.nextOffset) return;
    if (this.#isClosed) return;
    const header = readBatchHeader(entry.payload, 0);
    assert(
      header.baseOffset === entry.baseOffset && header.nextOffset === entry.baseOffset + entry.offsetCount,
    );
    this.log.append(entry.payload, header);
    if (entry.term === this.#ledTerm) this.#uncommitted.remove(entry.payload.length);
    else this.#restoreProducer(header);
    this.#wake();
  }

  #applyCommand({ payload }: Entry): void {
    if (this.#isClosed) return;
    const { startOffset } = decodePartitionCommand(payload);
    this.raiseStart(startOffset);
  }

  /** What lies below is removed for good: the group, or a replica that is ahead, says so. */
  raiseStart(startOffset: number): void {
    // The log is shorter only where damage to it was accepted.
    this.#trims.agree(Math.min(startOffset, this.highWatermark));
    this.#notifyWatchers();
  }

  /** Takes a committed batch from another replica's log; one that is here already is skipped. */
  takeCommitted(batch: Uint8Array): void {
    const header = readBatchHeader(batch, 0);
    if (this.#isClosed || header.nextOffset <= this.log.nextOffset) return;
    this.log.append(batch, header);
    this.#restoreProducer(header);
    this.#wake();
  }

  /** Keeps dirty memory within its bound; for whoever appends much at a time. */
  async makeRoom(): Promise<void> {
    await this.#makeRoom?.();
  }

  /** Learns of a batch that was appended before this start. */
  restoreProducerOf(batch: Uint8Array): void {
    this.#restoreProducer(readBatchHeader(batch, 0));
  }

  #restoreProducer(header: BatchHeader): void {
    if (header.producerId < 0) return;
    const { baseOffset, nextOffset, maxTimestampMs, lastOffsetDelta } = header;
    // Compaction takes records out of a batch: as many sequence numbers as offsets are used up all the same.
    const sequence = { ...header, recordCount: lastOffsetDelta + 1 };
    this.producers.append(sequence, { baseOffset, nextOffset, maxTimestampMs }, this.#startedMs);
  }

  /** Makes no further progress: waiters are told, watchers woken. The log is the owner's to close. */
  close(): void {
    this.#isClosed = true;
    this.#commits.abandon(() => new PartitionClosedError(this));
    this.#uncommitted.forget();
    this.#notifyWatchers();
  }

  #wake(): void {
    this.#commits.advance();
    this.#notifyWatchers();
  }

  #notifyWatchers(): void {
    for (const callback of [...this.#watchers]) callback();
  }
}
