import { strict as assert } from "node:assert";
import type { Entry, HardState } from "../core/entry.ts";
import type { StateMachine } from "./state-machine.ts";

/** What a group is made from: what the disk kept of it, or nothing for a new one. */
export interface RaftGroupOptions {
  readonly id: number;
  readonly nodeId: number;
  readonly stateMachine: StateMachine;
  /** Term and vote from the journal. */
  readonly hardState: HardState;
  /** The last entry that has left the log; entries start behind it. */
  readonly floor: Floor;
  /** Where the state machine's data ends: the place of the next data entry. */
  readonly nextOffset: number;
  /** Told that the group has something to persist. */
  readonly onPropose: (group: RaftGroup, payloadBytes: number) => void;
}

/** The last entry that is not in the log any more, because its effect is durable elsewhere. */
export interface Floor {
  readonly index: number;
  readonly term: number;
}

/** A proposal before the group gives it its index and term. */
export type Proposal = Omit<Entry, "index" | "term">;

/** What a pass must write for one group. */
export interface Unpersisted {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
}

/** Where an applied entry ends, kept until its effect is durable outside the journal. */
interface AppliedMark {
  index: number;
  term: number;
  nextOffset: number;
}

/** Marks that are one for each entry; a mark for each of many more would be work for the garbage collector. */
const fineMarksMax = 256;
/** Entries from one mark to the next behind those, and how far the floor may lag there. */
const entriesPerMark = 64;

/**
 * One replication group with this node as its only voter: it leads from its election on and commits what
 * its own journal holds. The face is the one that a group of several voters has.
 *
 * Invariant: floor ≤ applied = committed ≤ persisted ≤ last.
 */
export class RaftGroup {
  readonly id: number;
  readonly #nodeId: number;
  readonly #stateMachine: StateMachine;
  readonly #onPropose: (group: RaftGroup, payloadBytes: number) => void;

  #hardState: HardState;
  #hardStateChanged = false;
  #durableTerm: number;
  #isLeader = false;
  #floor: Floor;
  #lastIndex: number;
  #nextOffset: number;
  /** Proposed, not handed to a pass yet. */
  #unstaged: Entry[] = [];
  /** Handed to a pass whose write has not completed, or behind it. */
  #unapplied: Entry[] = [];
  #applied: AppliedMark[] = [];

  constructor(options: RaftGroupOptions) {
    this.id = options.id;
    this.#nodeId = options.nodeId;
    this.#stateMachine = options.stateMachine;
    this.#onPropose = options.onPropose;
    this.#hardState = options.hardState;
    this.#durableTerm = options.hardState.term;
    this.#floor = options.floor;
    this.#lastIndex = options.floor.index;
    this.#nextOffset = options.nextOffset;
  }

  get term(): number {
    return this.#hardState.term;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Whether a crash leaves the term known: until then nobody may learn of it, for it could come once more. */
  get isTermDurable(): boolean {
    return this.#durableTerm === this.#hardState.term;
  }

  /** The offset that the next data entry gets. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get floor(): Floor {
    return this.#floor;
  }

  /** Takes an entry that the journal kept; a single voter's durable entries are committed ones. */
  restore(entry: Entry): void {
    assert(!this.#isLeader);
    assert(entry.index === this.#lastIndex + 1);
    this.#lastIndex = entry.index;
    this.#nextOffset = Math.max(this.#nextOffset, entry.baseOffset + entry.offsetCount);
    this.#apply(entry);
  }

  /** Starts a new term with this node as leader; its no-op is the term's first entry (Raft thesis, 6.4). */
  campaign(): void {
    this.#hardState = { term: this.#hardState.term + 1, votedFor: this.#nodeId };
    this.#hardStateChanged = true;
    this.#isLeader = true;
    this.propose({ kind: "noop", baseOffset: this.#nextOffset, offsetCount: 0, payload: new Uint8Array(0) });
  }

  /** Puts an entry behind all others; the state machine's `apply` tells when it is committed. Only for the leader. */
  propose(proposal: Proposal): Entry {
    assert(this.#isLeader);
    assert(proposal.baseOffset === this.#nextOffset);
    this.#lastIndex += 1;
    this.#nextOffset += proposal.offsetCount;
    const entry: Entry = { index: this.#lastIndex, term: this.#hardState.term, ...proposal };
    this.#unstaged.push(entry);
    this.#onPropose(this, entry.payload.length);
    return entry;
  }

  /** Payload bytes that no pass has taken yet. */
  get unpersistedBytes(): number {
    return this.#unstaged.reduce((sum, entry) => sum + entry.payload.length, 0);
  }

  /** What has to be persisted; `staged` tells that a pass has taken it. */
  unpersisted(): Unpersisted {
    return { hardState: this.#hardStateChanged ? this.#hardState : undefined, entries: this.#unstaged };
  }

  /** The hard state and the first `count` entries of `unpersisted` are on their way to the disk. */
  staged(count: number): void {
    for (const entry of this.#unstaged.slice(0, count)) this.#unapplied.push(entry);
    this.#unstaged = this.#unstaged.slice(count);
    this.#hardStateChanged = false;
  }

  /** The term and everything up to `index` are durable here: with a single voter that commits it. */
  persisted({ index, term }: Floor): void {
    this.#durableTerm = term;
    const committed = this.#unapplied;
    let count = 0;
    while (count < committed.length && (committed[count]?.index ?? Infinity) <= index) count += 1;
    this.#unapplied = committed.splice(count);
    for (const entry of committed) this.#apply(entry);
  }

  /** The state machine holds all data below `offset` durably elsewhere; answers the new floor where it moved. */
  releaseThroughOffset(offset: number): Floor | undefined {
    return this.#release((mark) => mark.nextOffset <= offset);
  }

  /** The state machine holds the effect of all entries up to `index` durably elsewhere; answers the new floor where it moved. */
  releaseThroughIndex(index: number): Floor | undefined {
    return this.#release((mark) => mark.index <= index);
  }

  #apply(entry: Entry): void {
    this.#mark(entry);
    this.#stateMachine.apply(entry);
  }

  /** Where marks are many, the last one moves along with the entries until it is far enough from the one before. */
  #mark({ index, term, baseOffset, offsetCount }: Entry): void {
    const last = this.#applied.at(-1);
    const before = this.#applied.at(-2)?.index ?? this.#floor.index;
    if (last && this.#applied.length >= fineMarksMax && last.index < before + entriesPerMark) {
      last.index = index;
      last.term = term;
      last.nextOffset = baseOffset + offsetCount;
    } else {
      this.#applied.push({ index, term, nextOffset: baseOffset + offsetCount });
    }
  }

  #release(isReleased: (mark: AppliedMark) => boolean): Floor | undefined {
    let count = 0;
    for (const mark of this.#applied) {
      if (!isReleased(mark)) break;
      count += 1;
    }
    const last = this.#applied[count - 1];
    if (!last) return undefined;
    this.#applied.splice(0, count);
    this.#floor = { index: last.index, term: last.term };
    return this.#floor;
  }
}
