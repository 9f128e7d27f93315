import { type Configuration, isJoint, members } from "#raft/core/configuration.ts";
import type { MembershipChange, MembershipStep } from "#raft/core/membership.ts";
import type { Progress } from "#raft/core/progress.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";

/** What a group's leader knows when it looks at who belongs to the group. */
export interface MembershipView {
  /** The one in effect. */
  readonly configuration: Configuration;
  readonly progress: ReadonlyMap<ReplicaId, Readonly<Pick<Progress, "state" | "matchIndex">>>;
  /** What was committed a while ago: who has all of that keeps up. */
  readonly earlierCommitIndex: number;
}

/** Who is to belong to a group. */
export interface WantedMembers {
  readonly voters: readonly ReplicaId[];
  /** Learners that are no business of a move: those of nodes that only follow. */
  readonly isObserver?: (learner: ReplicaId) => boolean;
}

/** What brings the group nearer; inLine: nothing is left to do · wait: replicas are catching up. */
export type NextStep =
  | { readonly kind: "change"; readonly change: MembershipChange; readonly startsCatchUp: boolean }
  | { readonly kind: "wait" | "inLine" };

/**
 * Works out the next change of a group's members. Who is new becomes a learner first and gets a vote once it keeps up;
 * that and the leaving of the others is one change, so that the group has as many voters as before at any time.
 */
export function nextStep(view: MembershipView, wanted: WantedMembers): NextStep {
  const { configuration } = view;
  // It leaves by itself, unless its leader was lost over it.
  if (isJoint(configuration)) return change({ kind: "leave" });

  const { voters, learners } = configuration;
  const missing = wanted.voters.filter((replica) => !voters.includes(replica));
  const surplus = members(configuration).filter(
    (replica) => !wanted.voters.includes(replica) && !wanted.isObserver?.(replica),
  );
  const unknown = missing.filter((replica) => !learners.includes(replica));
  if (unknown.length > 0) {
    // Learners for something that is wanted no more make way.
    const useless = surplus.filter((replica) => learners.includes(replica));
    return change(auto([...steps("addLearner", unknown), ...steps("remove", useless)]), true);
  }
  const ready = missing.filter((replica) => keepsUp(view, replica));
  if (ready.length === missing.length) {
    if (missing.length + surplus.length === 0) return { kind: "inLine" };
    return change(auto([...steps("addVoter", missing), ...steps("remove", surplus)]));
  }
  return exchangeDisks(ready, surplus) ?? { kind: "wait" };
}

/** A node's new disk takes the place of its lost one, whoever else is still catching up: the lost one is of no use to anybody. */
function exchangeDisks(ready: readonly ReplicaId[], surplus: readonly ReplicaId[]): NextStep | undefined {
  const nodes = new Set(ready.map(nodeIdOf));
  const lost = surplus.filter((replica) => nodes.has(nodeIdOf(replica)));
  if (lost.length === 0) return undefined;
  const lostNodes = new Set(lost.map(nodeIdOf));
  const replacements = ready.filter((replica) => lostNodes.has(nodeIdOf(replica)));
  return change(auto([...steps("addVoter", replacements), ...steps("remove", lost)]));
}

function keepsUp({ progress, earlierCommitIndex }: MembershipView, replica: ReplicaId): boolean {
  const known = progress.get(replica);
  return known?.state === "replicate" && known.matchIndex >= earlierCommitIndex;
}

function change(wish: MembershipChange, startsCatchUp = false): NextStep {
  return { kind: "change", change: wish, startsCatchUp };
}

function auto(wishes: readonly MembershipStep[]): MembershipChange {
  return { kind: "auto", steps: wishes };
}

function steps(kind: MembershipStep["kind"], replicas: readonly ReplicaId[]): MembershipStep[] {
  return replicas.map((replica) => ({ kind, replica }));
}
