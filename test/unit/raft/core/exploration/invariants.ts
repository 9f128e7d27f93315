import type { Configuration } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { Message } from "#raft/core/messages.ts";
import { voteResult } from "#raft/core/quorum.ts";
import type { Raft } from "#raft/core/raft.ts";
import type { ReplicaId } from "#raft/core/replica-id.ts";
import type { ExploredDisk } from "./explored-disk.ts";

/** A promise of Raft was broken. */
export class Violation extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Violation";
  }
}

interface KnownEntry {
  readonly entry: Entry;
  readonly previousTerm: number;
}

interface Committed {
  readonly term: number;
  /** The earliest term in which it is known to have been committed. */
  readonly committedIn: number;
}

/** The view from outside on all replicas of a group: what each step adds to it must not contradict what it knows. */
export class Invariants {
  readonly #leaders = new Map<number, ReplicaId>();
  readonly #votes = new Map<string, ReplicaId>();
  readonly #entries = new Map<number, KnownEntry>();
  readonly #committed: (Committed | undefined)[] = [];
  readonly #applied: (Entry | undefined)[] = [];

  /** The last index that anybody knows to be committed. */
  get commitIndex(): number {
    return Math.max(0, this.#committed.length - 1);
  }

  /** Log matching: an entry of an index and term is one and the same everywhere, and so is the one before it. */
  logged(raft: Raft, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const key = entry.index * 65_536 + entry.term;
      const known = this.#entries.get(key);
      if (known) {
        if (known.entry !== entry) throw new Violation(`log matching: two entries ${name(entry)}`);
        continue;
      }
      const previousTerm = raft.termAt(entry.index - 1) ?? -1;
      this.#entries.set(key, { entry, previousTerm });
    }
    const first = entries[0];
    if (!first) return;
    const known = this.#entries.get(first.index * 65_536 + first.term);
    const previousTerm = raft.termAt(first.index - 1);
    if (previousTerm !== undefined && known?.previousTerm !== previousTerm) {
      throw new Violation(`log matching: ${raft.id} has another entry before ${name(first)}`);
    }
  }

  /** Election safety and leader completeness. */
  leads(raft: Raft): void {
    const known = this.#leaders.get(raft.term);
    if (known === raft.id) return;
    if (known !== undefined) {
      throw new Violation(`election safety: ${known} and ${raft.id} lead term ${raft.term}`);
    }
    this.#leaders.set(raft.term, raft.id);
    for (let index = this.commitIndex; index > raft.floor.index; index--) {
      const committed = this.#committed[index];
      if (!committed || committed.committedIn >= raft.term) continue;
      if (raft.termAt(index) === committed.term) return;
      throw new Violation(
        `leader completeness: ${raft.id} leads term ${raft.term} without ${committed.term}/${index}`,
      );
    }
  }

  /** Committed is durable on a majority; a committed entry stays what it is. */
  committedTo(
    raft: Raft,
    from: number,
    holds: (voter: ReplicaId, index: number, term: number) => boolean,
    configurations: readonly Configuration[],
  ): void {
    for (let index = from + 1; index <= raft.commitIndex; index++) {
      const term = raft.termAt(index);
      if (term === undefined) continue;
      const known = this.#committed[index];
      if (known) {
        if (known.term !== term)
          throw new Violation(`committed ${known.term}/${index} became ${term}/${index}`);
        continue;
      }
      if (!configurations.some((each) => isQuorum(each, (voter) => holds(voter, index, term)))) {
        throw new Violation(`durability: ${term}/${index} is committed without a durable majority`);
      }
      this.#committed[index] = { term, committedIn: raft.term };
    }
  }

  /** State machine safety: all apply the same. */
  applied(raft: Raft, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const known = this.#applied[entry.index];
      if (known && known !== entry) {
        throw new Violation(`state machine safety: ${raft.id} applies ${name(entry)}, others ${name(known)}`);
      }
      this.#applied[entry.index] = entry;
      if (entry.index > raft.commitIndex) throw new Violation(`${name(entry)} is applied uncommitted`);
    }
  }

  /** A message's promise is on the disk before it leaves; nobody votes twice in a term. */
  sends(raft: Raft, message: Message, disk: ExploredDisk): void {
    if (message.kind === "appendAccepted") {
      const { matchIndex } = message;
      const term = raft.termAt(matchIndex);
      if (term !== undefined && !disk.holds(matchIndex, term)) {
        throw new Violation(`${raft.id} acknowledges ${term}/${matchIndex} before it is durable`);
      }
    }
    if (message.kind !== "voteAnswer" || message.preVote || !message.isGranted) return;
    const { term, votedFor } = disk.hardState;
    if (term < message.term || (term === message.term && votedFor !== message.to)) {
      throw new Violation(`${raft.id} votes for ${message.to} in term ${message.term} before it is durable`);
    }
    const key = `${raft.id} ${message.term}`;
    const vote = this.#votes.get(key);
    if (vote !== undefined && vote !== message.to) {
      throw new Violation(`${raft.id} votes for ${vote} and ${message.to} in term ${message.term}`);
    }
    this.#votes.set(key, message.to);
  }
}

function isQuorum(configuration: Configuration, holds: (voter: ReplicaId) => boolean): boolean {
  return voteResult(configuration, holds) === "won";
}

function name({ term, index }: Entry): string {
  return `${term}/${index}`;
}
