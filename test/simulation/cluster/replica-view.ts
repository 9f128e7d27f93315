import type { EntryId, EntryKind, HardState } from "#raft/core/entry.ts";
import type { Raft } from "#raft/core/raft.ts";
import type { Write } from "#raft/core/ready.ts";
import { noReplica, type ReplicaId } from "#raft/core/replica-id.ts";

/** A write that was handed out and is not durable yet. */
interface PendingWrite {
  readonly sequence: number;
  readonly hardState: HardState | undefined;
  readonly entries: readonly EntryId[];
}

/** What a replica has told a leader that it has. */
interface Acknowledgement extends EntryId {
  /** The leader's term, in which nothing of it may be taken back. */
  readonly leaderTerm: number;
}

/** What a replica's disk held when a life of it began. */
export interface StartState {
  readonly hardState?: HardState;
  readonly floor?: EntryId;
  readonly entries?: readonly (EntryId & { readonly kind: EntryKind })[];
}

/**
 * A replica as seen from outside, over all its lives: what is on its disk for certain, counted by completed writes and not
 * by what the replica makes of them, and what it has promised to others.
 */
export class ReplicaView {
  readonly id: ReplicaId;
  /** The state machine of its last life. */
  raft: Raft | undefined;
  /** The commit index that was last looked at, in this life. */
  commitIndex = 0;
  hardState: HardState = { term: 0, votedFor: noReplica };
  acknowledged: Acknowledgement | undefined;
  vote: HardState | undefined;
  /** Indexes of configurations in its log, durable or not. */
  #changes: number[] = [];
  #floor: EntryId = { index: 0, term: 0 };
  readonly #terms = new Map<number, number>();
  #lastIndex = 0;
  #pending: PendingWrite[] = [];

  constructor(id: ReplicaId) {
    this.id = id;
  }

  /** The last entry that is durable. */
  get last(): EntryId {
    return { index: this.#lastIndex, term: this.termAt(this.#lastIndex) ?? 0 };
  }

  /** The last configuration in its log but one: a leader must have known it to be committed. */
  get changeBefore(): number {
    return this.#changes.at(-2) ?? 0;
  }

  /** Term of a durable entry. */
  termAt(index: number): number | undefined {
    return index === this.#floor.index ? this.#floor.term : this.#terms.get(index);
  }

  /** Whether an entry is durable here; below the floor all that was committed is. */
  holds({ index, term }: EntryId): boolean {
    return index <= this.#floor.index || this.termAt(index) === term;
  }

  /** A life begins; says what it lacks of what an earlier one has promised. */
  start(raft: Raft, { hardState, floor, entries = [] }: StartState): string | undefined {
    this.raft = raft;
    this.#pending = [];
    this.commitIndex = raft.commitIndex;
    if (hardState) this.hardState = hardState;
    this.#restart(floor ?? { index: 0, term: 0 });
    this.#put(entries);
    this.#noteChanges(entries);
    return this.#brokenPromise();
  }

  handOut({ token, hardState, entries }: Write): void {
    this.#noteChanges(entries);
    const ids = entries.map(({ index, term }) => ({ index, term }));
    this.#pending.push({ sequence: token.sequence, hardState, entries: ids });
  }

  /** The oldest write is durable. */
  persisted(): void {
    const write = this.#pending.shift();
    if (!write) return;
    if (write.hardState) this.hardState = write.hardState;
    this.#put(write.entries);
  }

  /** Term and vote of a write are durable ahead of its entries. */
  hardStatePersisted(sequence: number): void {
    const write = this.#pending.find((other) => other.sequence === sequence);
    if (write?.hardState) this.hardState = write.hardState;
  }

  /** State and floor stand at a point. */
  installed(point: EntryId): void {
    this.#pending = this.#pending.map((write) => ({ ...write, entries: [] }));
    this.#restart(point);
  }

  /** All but term and vote is forgotten, and rightly so. */
  forget(): void {
    this.raft = undefined;
    this.#pending = [];
    this.#restart({ index: 0, term: 0 });
    this.acknowledged = undefined;
  }

  /** Its log is cut from `index` on. Says so where that takes back what a leader of this very term counts on. */
  cut(index: number, term: number): string | undefined {
    this.#changes = this.#changes.filter((change) => change < index);
    const { acknowledged } = this;
    if (!acknowledged || index > acknowledged.index) return undefined;
    const kept = index - 1;
    this.acknowledged = { ...acknowledged, index: kept, term: this.raft?.termAt(kept) ?? 0 };
    if (acknowledged.leaderTerm !== term) return undefined;
    return `cuts off from index ${index} what it has acknowledged up to ${acknowledged.index} in this very term ${term}`;
  }

  #brokenPromise(): string | undefined {
    const { vote, hardState, acknowledged } = this;
    if (vote && (hardState.term < vote.term || isOtherVote(hardState, vote))) {
      return `starts without its vote for ${vote.votedFor} in term ${vote.term}`;
    }
    if (acknowledged && !this.holds(acknowledged) && !this.#isReplaced(acknowledged)) {
      const { index, leaderTerm } = acknowledged;
      return `starts with a log up to ${this.#lastIndex}, and has acknowledged ${index} in term ${leaderTerm}`;
    }
    return undefined;
  }

  /** A write of a later leader's entries, under way when it crashed, may have come through. */
  #isReplaced({ leaderTerm }: Acknowledgement): boolean {
    return this.last.term > leaderTerm;
  }

  #restart(floor: EntryId): void {
    this.#floor = floor;
    this.#lastIndex = floor.index;
    this.#terms.clear();
    this.#changes = [];
  }

  #noteChanges(entries: readonly (EntryId & { readonly kind: EntryKind })[]): void {
    for (const { index, kind } of entries) if (kind === "configuration") this.#changes.push(index);
  }

  /** Entries take the place of those of their index and of all behind. */
  #put(entries: readonly EntryId[]): void {
    const [first] = entries;
    if (!first) return;
    for (let index = first.index; index <= this.#lastIndex; index++) this.#terms.delete(index);
    for (const { index, term } of entries) this.#terms.set(index, term);
    this.#lastIndex = entries.at(-1)?.index ?? this.#lastIndex;
  }
}

function isOtherVote(now: HardState, promised: HardState): boolean {
  return now.term === promised.term && now.votedFor !== promised.votedFor;
}
