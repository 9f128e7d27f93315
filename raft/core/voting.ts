import type { GroupState } from "./group-state.ts";
import type { Vote } from "./messages.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";

/**
 * Answers a request for a vote (Raft thesis, 3.4, 3.6.1 and 9.6); true where a real vote was given. Learners vote
 * like all others: who asks may know better than they that they have become voters.
 */
export function answerVote(state: GroupState, vote: Vote, leader: ReplicaId): boolean {
  const isFree =
    state.votedFor === vote.from ||
    (state.votedFor === noReplica && leader === noReplica) ||
    (vote.preVote && vote.term > state.term);
  const isGranted = isFree && state.log.isUpToDate(vote.lastIndex, vote.lastTerm);
  const answer = {
    kind: "voteAnswer",
    from: state.id,
    to: vote.from,
    preVote: vote.preVote,
    isGranted,
    term: isGranted ? vote.term : state.term,
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
