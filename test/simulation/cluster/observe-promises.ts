import type { Configuration } from "#raft/core/configuration.ts";
import type { EntryId } from "#raft/core/entry.ts";
import type { AppendAccepted, Message, VoteAnswer } from "#raft/core/messages.ts";
import { Raft } from "#raft/core/raft.ts";
import { RaftLog } from "#raft/core/raft-log.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import { RaftGroup } from "#raft/host/raft-group.ts";
import { RaftHost } from "#raft/host/raft-host.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";
import { ReplicaView } from "./replica-view.ts";
import type { Watched } from "./watched.ts";

/** A group over all its replicas. */
class GroupPromises {
  readonly id: number;
  readonly replicas = new Map<ReplicaId, ReplicaView>();
  /** Who leads or has led, by term. */
  readonly leaders = new Map<number, ReplicaView>();
  /** Terms of committed entries, by index. */
  readonly committed = new Map<number, number>();
  /** How far leaders have committed, by their terms. */
  readonly committedIn = new Map<number, number>();

  constructor(id: number) {
    this.id = id;
  }

  /** The last index that any leader has committed. */
  get commitIndex(): number {
    return Math.max(0, ...this.committedIn.values());
  }
}

interface Place {
  readonly group: GroupPromises;
  readonly replica: ReplicaView;
}

/**
 * Watches all replicas and their disks together for what must hold at every moment, so that a broken rule shows where it
 * is broken and not only where it happens to lose something: what is promised is durable and is kept, what is committed is
 * on the disks of a majority and in the log of every later leader, and nobody without it could be elected.
 *
 * It counts votes and compares logs by itself: the rules of the sources may have a bug planted in them.
 */
export function observePromises({ onViolation }: Pick<Watched, "onViolation">): Disposable {
  const groups = new Map<number, GroupPromises>();
  const places = new WeakMap<Raft, Place>();
  /** Whose step is being taken: logs do not know whose they are. */
  let stepping: Raft | undefined;
  const placeOf = (groupId: number, id: ReplicaId): Place => {
    const group = groups.get(groupId) ?? new GroupPromises(groupId);
    groups.set(groupId, group);
    const replica = group.replicas.get(id) ?? new ReplicaView(id);
    group.replicas.set(id, replica);
    return { group, replica };
  };
  const violate = (kind: string, { group, replica }: Place, details: string) =>
    onViolation({ kind, details: `group ${group.id}: node ${nodeIdOf(replica.id)} ${details}` });

  /** Runs what may commit something or make somebody leader, and looks at what it did. */
  const watching = (raft: Raft, run: () => void): void => {
    const { configuration, term } = raft;
    const hasLed = raft.role === "leader";
    const outer = stepping;
    stepping = raft;
    try {
      run();
    } finally {
      stepping = outer;
    }
    const place = places.get(raft);
    if (!place) return;
    if (raft.role === "leader") checkLeader(place, raft);
    if (raft.commitIndex <= place.replica.commitIndex) return;
    // Who commits that it belongs to the group no more leads no more afterwards.
    const isLeader = raft.role === "leader" || (hasLed && raft.term === term);
    checkCommit(place, raft, { isLeader, before: configuration });
  };

  const checkLeader = (place: Place, raft: Raft): void => {
    const { group, replica } = place;
    const known = group.leaders.get(raft.term);
    if (known === replica) return;
    if (known) violate("twoLeaders", place, `leads term ${raft.term}, and so does ${nodeIdOf(known.id)}`);
    group.leaders.set(raft.term, replica);
    for (const [term, index] of group.committedIn) {
      if (term >= raft.term || index <= raft.floor.index) continue;
      if (raft.termAt(index) === group.committed.get(index)) continue;
      violate("leaderLacks", place, `leads term ${raft.term} without index ${index}, committed in ${term}`);
    }
  };

  const checkCommit = (
    place: Place,
    raft: Raft,
    { isLeader, before }: { isLeader: boolean; before: Configuration },
  ): void => {
    const { group, replica } = place;
    const { commitIndex: from } = replica;
    replica.commitIndex = raft.commitIndex;
    for (let index = Math.max(from, raft.floor.index) + 1; index <= raft.commitIndex; index++) {
      const term = raft.termAt(index) ?? 0;
      const known = group.committed.get(index);
      if (known === undefined) group.committed.set(index, term);
      else if (known !== term) {
        violate("committedOther", place, `commits index ${index} of term ${term}, others that of ${known}`);
      }
    }
    if (!isLeader) {
      if (raft.commitIndex <= group.commitIndex) return;
      violate("committedUnsafe", place, `takes index ${raft.commitIndex} for committed, which no leader has`);
      return;
    }
    const last = { index: raft.commitIndex, term: raft.termAt(raft.commitIndex) ?? 0 };
    const isNew = last.index > group.commitIndex;
    group.committedIn.set(raft.term, last.index);
    // Who has stood still learns late what a majority had, of which some have left since.
    if (!isNew) return;
    const problems = [before, raft.configuration].map((voters) => unsafetyOf(group, voters, last));
    const [problem] = problems;
    if (problem && problems.every(Boolean)) violate("committedUnsafe", place, `commits ${problem}`);
  };

  const checkSent = (place: Place, raft: Raft, message: Message): void => {
    if (message.kind === "appendAccepted") checkAcknowledgement(place, raft, message);
    if (message.kind === "voteAnswer" && message.isGranted && !message.preVote) checkVote(place, message);
  };

  const checkAcknowledgement = (place: Place, raft: Raft, { to, term, matchIndex }: AppendAccepted): void => {
    const { group, replica } = place;
    const entry = { index: matchIndex, term: raft.termAt(matchIndex) ?? 0 };
    if (matchIndex >= raft.floor.index && !replica.holds(entry)) {
      violate("promisedEarly", place, `acknowledges index ${matchIndex} before its disk has it`);
    }
    const leader = group.leaders.get(term);
    const log = leader?.raft;
    if (leader && leader.id !== to) {
      violate("promisedOther", place, `acknowledges to ${nodeIdOf(to)} in term ${term} of another leader`);
    } else if (log?.term === term && log.role === "leader" && log.floor.index <= matchIndex) {
      const isSame = matchIndex <= raft.floor.index || log.termAt(matchIndex) === entry.term;
      if (!isSame) violate("promisedOther", place, `acknowledges index ${matchIndex}, where it has another`);
    }
    const known = replica.acknowledged;
    if (!known || known.leaderTerm < term || known.index <= matchIndex) {
      replica.acknowledged = { ...entry, leaderTerm: term };
    }
  };

  const checkVote = (place: Place, { to, term }: VoteAnswer): void => {
    const { hardState, vote } = place.replica;
    if (hardState.term !== term || hardState.votedFor !== to) {
      violate("promisedEarly", place, `votes for ${nodeIdOf(to)} in term ${term} before its disk knows`);
    }
    if (vote?.term === term && vote.votedFor !== to) violate("votedTwice", place, `votes twice in ${term}`);
    place.replica.vote = { term, votedFor: to };
  };

  return together(
    replaceMethod(RaftHost.prototype, "start", (start) => {
      return function (this: RaftHost, options) {
        const started = start.call(this, options);
        started.then(
          ({ raft }) => {
            const place = placeOf(options.id, raft.id);
            const isFirstLife = place.replica.raft === undefined;
            places.set(raft, place);
            const broken = place.replica.start(raft, options);
            if (broken) violate("promiseForgotten", place, broken);
            if (raft.commitIndex > place.group.commitIndex && !isFirstLife) {
              violate(
                "committedUnsafe",
                place,
                `starts at commit index ${raft.commitIndex}, where nobody was`,
              );
            }
          },
          () => undefined,
        );
        return started;
      };
    }),
    replaceMethod(RaftHost.prototype, "remove", (remove) => {
      return function (this: RaftHost, id) {
        groups.get(id)?.replicas.get(this.replica)?.forget();
        remove.call(this, id);
      };
    }),
    replaceMethod(RaftGroup.prototype, "installed", (installed) => {
      return function (this: RaftGroup, point) {
        const replica = places.get(this.raft)?.replica;
        replica?.installed(point);
        installed.call(this, point);
        if (replica) replica.commitIndex = this.raft.commitIndex;
      };
    }),
    replaceMethod(Raft.prototype, "ready", (ready) => {
      return function (this: Raft) {
        let result: ReturnType<Raft["ready"]>;
        watching(this, () => {
          result = ready.call(this);
        });
        const place = places.get(this);
        if (!result || !place) return result;
        if (result.write) place.replica.handOut(result.write);
        if (result.write && place.replica.changeBefore > place.group.commitIndex) {
          violate("changesOverlap", place, "has two changes of members, and nobody has committed the first");
        }
        for (const message of result.messages) checkSent(place, this, message);
        const last = result.committed.at(-1);
        if (last && !place.replica.holds(last)) {
          violate("appliedEarly", place, `applies index ${last.index} before its disk has it`);
        }
        return result;
      };
    }),
    replaceMethod(Raft.prototype, "step", (step) => {
      return function (this: Raft, message) {
        const { term } = this;
        watching(this, () => step.call(this, message));
        const place = places.get(this);
        if (place && message.kind === "vote" && message.preVote && this.term !== term) {
          violate("termMoved", place, `moves from term ${term} to ${this.term} on a PreVote`);
        }
      };
    }),
    replaceMethod(Raft.prototype, "tick", (tick) => {
      return function (this: Raft) {
        watching(this, () => tick.call(this));
      };
    }),
    replaceMethod(Raft.prototype, "persisted", (persisted) => {
      return function (this: Raft, token) {
        const place = places.get(this);
        place?.replica.persisted();
        watching(this, () => persisted.call(this, token));
        if (!place) return;
        const { persistedIndex: index } = this;
        if (index > this.floor.index && !place.replica.holds({ index, term: this.termAt(index) ?? 0 })) {
          violate("countedEarly", place, `counts index ${index} as durable, which is not on its disk`);
        }
      };
    }),
    replaceMethod(Raft.prototype, "loaded", (loaded) => {
      return function (this: Raft, load, entries) {
        const place = places.get(this);
        // What was asked for in an earlier term may have been cut off since, and is not used.
        const isWanted = load.purpose === "apply" || load.term === this.term;
        const other = entries.find(({ index, term }) => (this.termAt(index) ?? term) !== term);
        if (place && other && isWanted) {
          violate("loadedOther", place, `reads index ${other.index} of term ${other.term}, and has another`);
        }
        watching(this, () => loaded.call(this, load, entries));
      };
    }),
    replaceMethod(Raft.prototype, "hardStatePersisted", (persisted) => {
      return function (this: Raft, token) {
        places.get(this)?.replica.hardStatePersisted(token.sequence);
        watching(this, () => persisted.call(this, token));
      };
    }),
    replaceMethod(RaftLog.prototype, "truncateFrom", (truncate) => {
      return function (this: RaftLog, index) {
        const place = stepping && places.get(stepping);
        if (place && stepping) {
          const broken = place.replica.cut(index, stepping.term);
          if (broken) violate("promiseCutOff", place, broken);
          if (index <= this.commitIndex) {
            violate("committedCutOff", place, `cuts off committed entries from ${index} on`);
          }
        }
        truncate.call(this, index);
      };
    }),
    replaceMethod(RaftGroup.prototype, "hasLedSince", (hasLed) => {
      return function (this: RaftGroup, sinceMs) {
        const isCertain = hasLed.call(this, sinceMs);
        const place = places.get(this.raft);
        const newer = place && [...place.group.leaders.keys()].find((term) => term > this.raft.term);
        if (isCertain && place && newer !== undefined) {
          violate(
            "staleLease",
            place,
            `is certain to lead in term ${this.raft.term}, after term ${newer} began`,
          );
        }
        return isCertain;
      };
    }),
    replaceMethod(RaftGroup.prototype, "readIndex", (readIndex) => {
      return function (this: RaftGroup) {
        const place = places.get(this.raft);
        const newest = place?.group.commitIndex ?? 0;
        const read = readIndex.call(this);
        read.then(
          (index) => {
            if (!place || index >= newest) return;
            violate("staleRead", place, `reads as of index ${index}, when ${newest} was committed before`);
          },
          () => undefined,
        );
        return read;
      };
    }),
  );
}

/** Why an entry is not safely committed: too few disks have it, or somebody without it could be elected. */
function unsafetyOf(group: GroupPromises, configuration: Configuration, entry: EntryId): string | undefined {
  const what = `index ${entry.index} of term ${entry.term}`;
  if (!isAgreed(group, configuration, (view) => view.holds(entry)))
    return `${what} without a majority of disks`;
  for (const candidate of group.replicas.values()) {
    if (candidate.holds(entry)) continue;
    // It counts the votes of those who belong to the group as far as it knows.
    const known = candidate.raft?.configuration;
    if (!known || ![...known.voters, ...known.outgoing].includes(candidate.id)) continue;
    const grants = (voter: ReplicaView) =>
      // Who has left, or has learnt nothing yet, votes for nobody.
      voter === candidate || (voter.raft && voter.last.index > 0 && !isAhead(voter.last, candidate.last));
    if (!isAgreed(group, known, grants)) continue;
    return `${what}, and node ${nodeIdOf(candidate.id)} could be elected without it`;
  }
  return undefined;
}

/** Whether a majority of each set of voters agrees. */
function isAgreed(
  { replicas }: GroupPromises,
  { voters, outgoing }: Configuration,
  agrees: (view: ReplicaView) => boolean | undefined,
): boolean {
  return [voters, outgoing].every((set) => {
    const agreeing = set.filter((id) => {
      const view = replicas.get(id);
      return view !== undefined && agrees(view);
    });
    return set.length === 0 || agreeing.length > set.length / 2;
  });
}

/** Whether a log that ends with `one` is ahead of one that ends with `other`: it refuses its vote. */
function isAhead(one: EntryId, other: EntryId): boolean {
  return one.term > other.term || (one.term === other.term && one.index > other.index);
}
