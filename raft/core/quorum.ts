import type { Configuration } from "./configuration.ts";
import type { ReplicaId } from "./replica-id.ts";

/** Where a ballot stands. */
export type VoteResult = "pending" | "won" | "lost";

/** The largest index that a majority of both sets of voters has reached; Infinity where nobody votes. */
export function reachedByQuorum(
  { voters, outgoing }: Pick<Configuration, "voters" | "outgoing">,
  reachedBy: (voter: ReplicaId) => number,
): number {
  return Math.min(reachedByMajority(voters, reachedBy), reachedByMajority(outgoing, reachedBy));
}

/** The result of a ballot in which both sets of voters must agree. A voter without an answer is undefined. */
export function voteResult(
  { voters, outgoing }: Pick<Configuration, "voters" | "outgoing">,
  voteOf: (voter: ReplicaId) => boolean | undefined,
): VoteResult {
  const incomingResult = majorityVote(voters, voteOf);
  const outgoingResult = majorityVote(outgoing, voteOf);
  if (incomingResult === "lost" || outgoingResult === "lost") return "lost";
  return incomingResult === "won" && outgoingResult === "won" ? "won" : "pending";
}

/** An empty set of voters has reached everything: so it does not count in a configuration that is not joint. */
function reachedByMajority(voters: readonly ReplicaId[], reachedBy: (voter: ReplicaId) => number): number {
  // Groups of one and three are nearly all there are: they need no list.
  const [first, second, third] = voters;
  if (first === undefined) return Infinity;
  if (second === undefined) return reachedBy(first);
  if (third !== undefined && voters.length === 3) {
    return middle(reachedBy(first), reachedBy(second), reachedBy(third));
  }
  const reached = voters.map(reachedBy).sort((a, b) => b - a);
  return reached[Math.floor(voters.length / 2)] ?? 0;
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function majorityVote(
  voters: readonly ReplicaId[],
  voteOf: (voter: ReplicaId) => boolean | undefined,
): VoteResult {
  const needed = voters.length === 0 ? 0 : Math.floor(voters.length / 2) + 1;
  let granted = 0;
  let missing = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  if (granted >= needed) return "won";
  return granted + missing >= needed ? "pending" : "lost";
}
