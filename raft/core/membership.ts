import { type Configuration, isJoint, sorted } from "./configuration.ts";
import type { ReplicaId } from "./replica-id.ts";

/** One wish of a membership change. */
export interface MembershipStep {
  readonly kind: "addVoter" | "addLearner" | "remove";
  readonly replica: ReplicaId;
}

/**
 * What to change and how: `auto` avoids the joint configuration where one voter changes, `joint` goes through it and
 * leaves it by itself, `explicit` stays in it until it is told to leave, `leave` leaves it.
 */
export type MembershipChange =
  | { readonly kind: "auto" | "joint" | "explicit"; readonly steps: readonly MembershipStep[] }
  | { readonly kind: "leave" };

/** Why a configuration cannot become another. */
export type MembershipProblem = "already-joint" | "not-joint" | "no-voters" | "more-than-one-voter";

/** The configuration after a change, or why there is none. */
export function changed(
  configuration: Configuration,
  change: MembershipChange,
): Configuration | MembershipProblem {
  switch (change.kind) {
    case "leave":
      return leaveJoint(configuration);
    case "joint":
    case "explicit":
      return enterJoint(configuration, change.steps, change.kind === "joint");
    case "auto": {
      const direct = changeDirectly(configuration, change.steps);
      return direct === "more-than-one-voter" ? enterJoint(configuration, change.steps, true) : direct;
    }
    default:
      return change satisfies never;
  }
}

/** At most one voter comes or goes: any majority before overlaps with any majority after (Raft thesis, 4.1). */
export function changeDirectly(
  configuration: Configuration,
  steps: readonly MembershipStep[],
): Configuration | MembershipProblem {
  if (isJoint(configuration)) return "already-joint";
  const next = withSteps(configuration, steps);
  if (next.voters.length === 0) return "no-voters";
  return voterDifference(configuration.voters, next.voters) > 1 ? "more-than-one-voter" : next;
}

/** The first half of a change through joint consensus (Raft thesis, 4.3). */
export function enterJoint(
  configuration: Configuration,
  steps: readonly MembershipStep[],
  autoLeave: boolean,
): Configuration | MembershipProblem {
  if (isJoint(configuration)) return "already-joint";
  if (configuration.voters.length === 0) return "no-voters";
  const next = withSteps({ ...configuration, outgoing: configuration.voters }, steps);
  return next.voters.length === 0 ? "no-voters" : { ...next, autoLeave };
}

/** The second half: the outgoing voters are gone, or learners. */
export function leaveJoint(configuration: Configuration): Configuration | MembershipProblem {
  if (!isJoint(configuration)) return "not-joint";
  return {
    voters: configuration.voters,
    outgoing: [],
    learners: sorted([...configuration.learners, ...configuration.learnersNext]),
    learnersNext: [],
    autoLeave: false,
  };
}

function withSteps(configuration: Configuration, steps: readonly MembershipStep[]): Configuration {
  const voters = new Set(configuration.voters);
  const learners = new Set(configuration.learners);
  const learnersNext = new Set(configuration.learnersNext);
  for (const { kind, replica } of steps) {
    voters.delete(replica);
    learners.delete(replica);
    learnersNext.delete(replica);
    if (kind === "addVoter") voters.add(replica);
    // An outgoing voter still decides: it can only be a learner once the joint configuration is left.
    if (kind === "addLearner")
      (configuration.outgoing.includes(replica) ? learnersNext : learners).add(replica);
  }
  return {
    voters: sorted(voters),
    outgoing: configuration.outgoing,
    learners: sorted(learners),
    learnersNext: sorted(learnersNext),
    autoLeave: configuration.autoLeave,
  };
}

function voterDifference(before: readonly ReplicaId[], after: readonly ReplicaId[]): number {
  const gone = before.filter((voter) => !after.includes(voter));
  const come = after.filter((voter) => !before.includes(voter));
  return gone.length + come.length;
}
