import type { GroupState } from "./group-state.ts";
import type { Message, VoteAnswer } from "./messages.ts";
import { voteResult } from "./quorum.ts";
import { noReplica, type ReplicaId } from "./replica-id.ts";
import type { Role, Transitions } from "./role.ts";
import { commitPoint, learnCommit } from "./voting.ts";

/** How a campaign is run. */
export interface Campaign {
  /** Only asks whether votes would be given: no term changes, so that a lost replica that comes back disturbs nobody. */
  readonly preVote: boolean;
  /** The leader asked for it: voters need not have missed it. */
  readonly isTransfer: boolean;
}

/** Asks for votes, or whether it would get them. */
export class Candidate implements Role {
  readonly name: "preCandidate" | "candidate";
  readonly leader = noReplica;
  readonly hasLease = false;
  readonly #state: GroupState;
  readonly #transitions: Transitions;
  readonly #campaign: Campaign;
  readonly #votes = new Map<ReplicaId, boolean>();
  readonly #timeoutTicks: number;
  #elapsedTicks = 0;

  constructor(state: GroupState, transitions: Transitions, campaign: Campaign) {
    this.name = campaign.preVote ? "preCandidate" : "candidate";
    this.#state = state;
    this.#transitions = transitions;
    this.#campaign = campaign;
    this.#timeoutTicks = campaign.preVote ? state.preVoteTimeoutTicks() : state.electionTimeoutTicks();
  }

  /** Asks everybody; not part of the constructor, because a single voter has won when it returns. */
  start(): void {
    const { id, log, term, configuration } = this.#state;
    const { preVote, isTransfer } = this.#campaign;
    const askedTerm = preVote ? term + 1 : term;
    const { lastIndex, lastTerm } = log;
    if (!preVote) this.#state.voteFor(id);
    for (const to of new Set([...configuration.voters, ...configuration.outgoing])) {
      if (to === id) continue;
      const vote = {
        kind: "vote",
        from: id,
        to,
        term: askedTerm,
        preVote,
        isTransfer,
        lastIndex,
        lastTerm,
      } as const;
      // Votes are given to the log as it is described here: it must not be shorter after a crash, in which the
      // same term could be campaigned for once more.
      if (preVote) this.#state.send(vote);
      else this.#state.sendDurably(vote);
    }
    if (preVote) this.#count(id, true);
    // Its own vote counts when it is durable, like any other.
    else {
      this.#state.sendDurably({
        kind: "voteAnswer",
        from: id,
        to: id,
        term,
        preVote: false,
        isGranted: true,
        ...commitPoint(this.#state),
      });
    }
  }

  tick(): void {
    this.#elapsedTicks += 1;
    if (this.#elapsedTicks < this.#timeoutTicks) return;
    if (this.#state.canCampaign) this.#transitions.becomePreCandidate();
    else this.#transitions.becomeFollower(this.#state.term, noReplica);
  }

  step(message: Message): void {
    if (message.kind === "voteAnswer") this.#answered(message);
    if (message.kind === "timeoutNow" && this.#state.canCampaign) {
      this.#transitions.becomeCandidate({ isTransfer: true });
    }
  }

  #answered(answer: VoteAnswer): void {
    learnCommit(this.#state, answer);
    if (!this.#state.canCampaign) {
      // It has learnt that it is out.
      this.#transitions.becomeFollower(this.#state.term, noReplica);
    } else if (this.#isMine(answer)) {
      this.#count(answer.from, answer.isGranted);
    }
  }

  #isMine({ preVote, isGranted, term }: VoteAnswer): boolean {
    if (preVote !== this.#campaign.preVote) return false;
    return !preVote || !isGranted || term === this.#state.term + 1;
  }

  #count(voter: ReplicaId, isGranted: boolean): void {
    if (!this.#votes.has(voter)) this.#votes.set(voter, isGranted);
    const result = voteResult(this.#state.configuration, (replica) => this.#votes.get(replica));
    if (result === "lost") this.#transitions.becomeFollower(this.#state.term, noReplica);
    if (result !== "won") return;
    if (this.#campaign.preVote) {
      this.#transitions.becomeCandidate({ isTransfer: this.#campaign.isTransfer });
    } else {
      this.#transitions.becomeLeader();
    }
  }
}
