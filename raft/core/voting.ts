import type { GroupState } from "./group-state.ts";
import type { Vote, VoteAnswer } from "./messages.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";

/**
 * Answers a request for a vote (Raft thesis, 3.4, 3.6.1 and 9.6); true where a real vote was given. Learners vote
 * like all others: who asks may know better than they that they have become voters. Not so one that has learnt nothing
 * yet, or has been here before and forgotten its log.
 */
export function answerVote(state: GroupState, vote: Vote, leader: ReplicaId): boolean {
  const isFree =
    state.mayVote &&
    (state.votedFor === vote.from ||
      (state.votedFor === noReplica && leader === noReplica) ||
      (vote.preVote && vote.term > state.term));
  const isGranted = isFree && state.log.isUpToDate(vote.lastIndex, vote.lastTerm);
  const answer = {
    kind: "voteAnswer",
    from: state.id,
    to: vote.from,
    preVote: vote.preVote,
    isGranted,
    term: isGranted ? vote.term : state.term,
    ...commitPoint(state),
  } as const;
  if (!isGranted || vote.preVote) {
    state.send(answer);
    return false;
  }
  state.voteFor(vote.from);
  // A vote that a crash could forget would be given twice.
  state.sendDurably(answer);
  return true;
}

/** What a voter tells of what is committed. */
export function commitPoint({ log }: GroupState): Pick<VoteAnswer, "commitIndex" | "commitTerm"> {
  return { commitIndex: log.commitIndex, commitTerm: log.termAt(log.commitIndex) ?? 0 };
}

/** Commits what a voter knows to be committed, where the log has that very entry and thus all before it, too. */
export function learnCommit(state: GroupState, { commitIndex, commitTerm }: VoteAnswer): void {
  const { log, installing } = state;
  if (installing || commitIndex <= log.commitIndex || !log.matches(commitIndex, commitTerm)) return;
  state.commitTo(commitIndex);
}
