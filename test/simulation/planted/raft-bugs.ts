import type { SourceBug, SourceEdit } from "./source-bug.ts";

/**
 * No bug: a refused leader tries further back than where the logs can part at best. The hints of this implementation
 * are so exact that the first append that matches cuts a follower's own tail off in any case, and a follower that counts on
 * that is right with it, and wrong with any other leader.
 */
const leaderGoesBackFurther: SourceEdit = {
  file: "raft/core/progress.ts",
  from: "Math.min(rejectedIndex, hintIndex + 1)",
  to: "Math.min(rejectedIndex, hintIndex - 2)",
};

/** Bugs in the rules of Raft; only several nodes show them. */
export const raftBugs: readonly SourceBug[] = [
  {
    name: "counts itself before its disk has the entry",
    trap: "the leader counts itself only up to what it has flushed",
    edits: [
      {
        file: "raft/core/leader.ts",
        from: "    this.#state.append(entry);\n",
        to: "    this.#state.append(entry);\n    const own = this.#progress.get(this.#state.id);\n    if (own) own.matchIndex = entry.index;\n",
      },
      {
        file: "raft/core/raft-log.ts",
        from: "return Math.min(this.#commitIndex, this.#persistedIndex);",
        to: "return this.#commitIndex;",
      },
      {
        file: "raft/core/leader.ts",
        from: "if (own) own.matchIndex = this.#state.log.persistedIndex;",
        to: "",
      },
    ],
  },
  {
    name: "acknowledges entries before its disk has them",
    trap: "a follower promises nothing that is not durable",
    edits: [
      {
        file: "raft/core/follower.ts",
        from: 'this.#state.sendDurably({ kind: "appendAccepted"',
        to: 'this.#state.send({ kind: "appendAccepted"',
      },
    ],
  },
  {
    name: "votes for any log, however old",
    trap: "a vote goes to a log that lacks nothing committed",
    edits: [
      {
        file: "raft/core/voting.ts",
        from: "const isGranted = isFree && state.log.isUpToDate(vote.lastIndex, vote.lastTerm);",
        to: "const isGranted = isFree;",
      },
    ],
  },
  {
    name: "compares logs by length alone",
    trap: "a later last term beats a longer log",
    edits: [
      {
        file: "raft/core/raft-log.ts",
        from: "return term > this.#lastTerm || (term === this.#lastTerm && index >= this.#lastIndex);",
        to: "return term >= 0 && index >= this.#lastIndex;",
      },
    ],
  },
  {
    name: "wins an election with half of the votes",
    trap: "two majorities overlap",
    edits: [
      {
        file: "raft/core/quorum.ts",
        from: "Math.floor(voters.length / 2) + 1;",
        to: "Math.max(1, Math.floor(voters.length / 2));",
      },
    ],
  },
  {
    name: "commits what one replica has",
    trap: "an entry is committed when a majority has it",
    edits: [
      {
        file: "raft/core/quorum.ts",
        from: "return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));",
        to: "return Math.max(a, b, c);",
      },
    ],
  },
  {
    name: "commits entries of earlier terms by counting",
    trap: "only an entry of the leader's own term commits earlier ones (figure 8)",
    edits: [
      {
        file: "raft/core/leader.ts",
        from: " || log.termAt(index) !== this.#state.term) return;",
        to: ") return;",
      },
    ],
  },
  {
    name: "cuts off whatever an append does not speak of",
    trap: "an append truncates only on a real conflict",
    edits: [
      {
        file: "raft/core/follower.ts",
        from: "if (log.matches(entry.index, entry.term)) continue;",
        to: "",
      },
    ],
  },
  {
    name: "truncates below what is committed",
    trap: "never truncate below the commit index",
    edits: [
      {
        file: "raft/core/follower.ts",
        from: "    if (append.previousIndex < log.commitIndex) {\n      this.#accept(log.commitIndex);\n      return;\n    }\n",
        to: "",
      },
      {
        file: "raft/core/raft-log.ts",
        from: "    assert(index > this.#commitIndex);\n    assert(index <=",
        to: "    assert(index <=",
      },
      {
        file: "raft/core/follower.ts",
        from: "if (log.matches(entry.index, entry.term)) continue;",
        to: "",
      },
    ],
  },
  {
    name: "takes an append without a look at the entry before it",
    trap: "an append needs a matching entry before it",
    edits: [
      {
        file: "raft/core/follower.ts",
        from: "if (!log.matches(append.previousIndex, append.previousTerm)) {",
        to: "if (append.previousIndex > log.lastIndex) {",
      },
    ],
  },
  {
    name: "acknowledges its whole log for an append that matched a part of it",
    trap: "an acknowledgement covers what was verified",
    edits: [
      leaderGoesBackFurther,
      {
        file: "raft/core/follower.ts",
        from: "    this.#accept(lastIndex);\n",
        to: "    this.#accept(log.lastIndex);\n",
      },
    ],
  },
  {
    name: "commits its own tail on the word of a shorter append",
    trap: "the commit index reaches no further than what was verified",
    edits: [
      leaderGoesBackFurther,
      {
        file: "raft/core/follower.ts",
        from: "this.#state.commitTo(Math.min(append.commitIndex, lastIndex));",
        to: "this.#state.commitTo(Math.min(append.commitIndex, log.lastIndex));",
      },
    ],
  },
  {
    name: "takes the commit index of a heartbeat unverified",
    trap: "a heartbeat's commit index is min(commit, match)",
    edits: [
      {
        file: "raft/core/leader.ts",
        from: "const commitIndex = Math.min(log.commitIndex, progress.matchIndex);",
        to: "const commitIndex = progress.matchIndex >= 0 ? log.commitIndex : 0;",
      },
      {
        file: "raft/core/follower.ts",
        from: "if (!this.#state.installing) this.#state.commitTo(commitIndex);",
        to: "if (!this.#state.installing) this.#state.commitTo(Math.min(commitIndex, this.#state.log.lastIndex));",
      },
    ],
  },
  {
    name: "counts a write for entries that were truncated since",
    trap: "a durable write's token does not survive a truncation",
    edits: [
      {
        file: "raft/core/durable-writes.ts",
        from: "write.lastIndex = Math.min(write.lastIndex, index - 1);",
        to: "write.lastIndex = Math.max(write.lastIndex, index - 1);",
      },
    ],
  },
  {
    name: "releases acknowledgements of an earlier term",
    trap: "what was promised to an earlier leader is told to nobody else",
    edits: [
      {
        file: "raft/core/raft.ts",
        from: "      if (message.term !== this.#state.term) continue;\n",
        to: "",
      },
      {
        file: "raft/core/raft.ts",
        from: "else this.#state.send(message);",
        to: "else this.#state.send({ ...message, term: this.#state.term });",
      },
    ],
  },
  {
    name: "takes messages of earlier terms for those of its own",
    trap: "a stale message changes nothing",
    edits: [
      {
        file: "raft/core/raft.ts",
        from: "    if (message.term < term) {\n",
        to: '    if (message.term < term && message.kind === "vote") {\n',
      },
    ],
  },
  {
    name: "leads on when nobody hears it",
    trap: "CheckQuorum steps a cut-off leader down",
    edits: [{ file: "raft/core/leader.ts", from: "if (!hasMajority || (", to: "if (!hasMajority && (" }],
  },
  {
    name: "campaigns without asking first",
    trap: "PreVote lets a lost replica come back without disturbing anybody",
    edits: [
      {
        file: "raft/core/follower.ts",
        from: "if (!this.#state.canCampaign) return;\n    this.#transitions.becomePreCandidate();",
        to: "if (!this.#state.canCampaign) return;\n    this.#transitions.becomeCandidate({ isTransfer: false });",
      },
    ],
  },
  {
    name: "moves its term on a PreVote",
    trap: "PreVote never changes a term",
    edits: [
      {
        file: "raft/core/raft.ts",
        from: 'if (message.kind === "vote") return message.preVote;',
        to: 'if (message.kind === "vote") return false;',
      },
    ],
  },
  {
    name: "repeats a refused probe at the same place",
    trap: "a leader goes back to where the logs part",
    edits: [
      {
        file: "raft/core/progress.ts",
        from: "this.nextIndex = Math.max(Math.min(rejectedIndex, hintIndex + 1), this.matchIndex + 1);",
        to: "",
      },
    ],
  },
  {
    name: "does not ask what became of a stream that was lost",
    trap: "what was sent may never arrive",
    edits: [
      {
        file: "raft/core/replicator.ts",
        from: 'if (progress.state === "replicate" && isBehind) progress.isCheckDue = true;',
        to: "",
      },
      {
        file: "raft/core/leader.ts",
        from: 'if (progress?.state === "replicate") progress.becomeProbe(progress.matchIndex + 1);',
        to: "",
      },
    ],
  },
  {
    name: "confirms reads without a majority",
    trap: "a read waits until a majority says that the leader leads",
    edits: [
      {
        file: "raft/core/leader.ts",
        from: "voter === id ? Infinity : (this.#progress.get(voter)?.readContext ?? 0),",
        to: "voter === id ? Infinity : Infinity,",
      },
    ],
  },
  {
    name: "applies what its own disk does not have yet",
    trap: "nothing is applied that a restart misses",
    edits: [
      {
        file: "raft/core/raft-log.ts",
        from: "return Math.min(this.#commitIndex, this.#persistedIndex);",
        to: "return this.#commitIndex;",
      },
    ],
  },
  {
    name: "sends its vote before it is durable",
    trap: "term and vote are durable before any vote is answered",
    edits: [{ file: "raft/core/voting.ts", from: "state.sendDurably(answer);", to: "state.send(answer);" }],
  },
  {
    name: "forgets its vote when it starts",
    trap: "a vote survives a crash",
    edits: [
      {
        file: "src/runtime/journal-log-store.ts",
        from: "this.#journal.setHardState(group, state);",
        to: "this.#journal.setHardState(group, { ...state, votedFor: -1 });",
      },
    ],
  },
  {
    name: "trusts its lease while it hands over",
    trap: "leadership transfer fences what is in flight",
    edits: [
      {
        file: "raft/host/raft-group.ts",
        from: "if (!this.isSettledLeader || this.raft.isTransferring) return false;",
        to: "if (!this.isSettledLeader) return false;",
      },
    ],
  },
  {
    name: "counts learners",
    trap: "a learner counts for nothing",
    nodeCount: 5,
    edits: [
      {
        file: "raft/core/leader.ts",
        from: "const index = reachedByQuorum(configuration, (voter) => this.#progress.get(voter)?.matchIndex ?? 0);",
        to: "const index = [...this.#progress.values()].map((each) => each.matchIndex).sort((a, b) => b - a)[Math.floor(configuration.voters.length / 2)] ?? 0;",
      },
    ],
  },
  {
    name: "begins a change of members while one is under way",
    trap: "one pending change",
    nodeCount: 5,
    edits: [
      {
        file: "raft/core/leader.ts",
        from: 'if (this.#state.log.commitIndex < this.#pendingChangeIndex) return "change-pending";',
        to: "",
      },
    ],
  },
  {
    name: "changes several voters at once",
    trap: "joint consensus: any majority before overlaps with any after",
    nodeCount: 5,
    edits: [
      {
        file: "raft/core/membership.ts",
        from: '> 1 ? "more-than-one-voter" : next;',
        to: '> 9 ? "more-than-one-voter" : next;',
      },
    ],
  },
  {
    name: "is content with one majority of two",
    trap: "while members change, every decision needs both majorities",
    nodeCount: 5,
    edits: [
      {
        file: "raft/core/quorum.ts",
        from: "return Math.min(reachedByMajority(voters, reachedBy), reachedByMajority(outgoing, reachedBy));",
        to: "return reachedByMajority(voters, reachedBy);",
      },
    ],
  },
];
