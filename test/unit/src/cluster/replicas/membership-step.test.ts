import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Configuration, isJoint, votersOnly } from "#raft/core/configuration.ts";
import { changed } from "#raft/core/membership.ts";
import { replicaId } from "#raft/core/replica-id.ts";
import { nextStep } from "#src/cluster/replicas/membership-step.ts";

const newDisk = (nodeId: number) => replicaId({ nodeId, incarnation: 1 });

/** A leader's look at a configuration in which the replicas named keep up. */
function look(configuration: Configuration, wanted: readonly number[], keepingUp: readonly number[]) {
  const progress = new Map(
    [...configuration.voters, ...configuration.learners].map((replica) => [
      replica,
      { state: "replicate" as const, matchIndex: keepingUp.includes(replica) ? 10 : 9 },
    ]),
  );
  return nextStep({ configuration, progress, earlierCommitIndex: 10 }, { voters: wanted });
}

describe("the next step", () => {
  test("is to let who is new learn", () => {
    expect(look(votersOnly([1]), [2, 3], [])).toEqual({
      kind: "change",
      change: {
        kind: "auto",
        steps: [
          { kind: "addLearner", replica: 2 },
          { kind: "addLearner", replica: 3 },
        ],
      },
      startsCatchUp: true,
    });
  });

  test("is to wait until all who are new keep up", () => {
    const learning = { ...votersOnly([1]), learners: [2, 3] };
    expect(look(learning, [2, 3], [2])).toEqual({ kind: "wait" });
  });

  test("is to exchange who is new for who is to go, in one change", () => {
    const learning = { ...votersOnly([1, 4]), learners: [2, 3] };
    expect(look(learning, [1, 2, 3], [2, 3])).toMatchObject({
      change: {
        steps: [
          { kind: "addVoter", replica: 2 },
          { kind: "addVoter", replica: 3 },
          { kind: "remove", replica: 4 },
        ],
      },
    });
  });

  test("is to leave a joint configuration that a lost leader has left behind", () => {
    const joint = { ...votersOnly([2]), outgoing: [1], autoLeave: true };
    expect(look(joint, [2], [2])).toMatchObject({ change: { kind: "leave" } });
  });

  test("is none where only the wanted vote; learners that only observe may stay, others must go", () => {
    const observed = { ...votersOnly([1, 2]), learners: [7] };
    expect(look(votersOnly([1, 2]), [2, 1], [])).toEqual({ kind: "inLine" });
    expect(look(observed, [1, 2], [])).toMatchObject({ change: { steps: [{ kind: "remove", replica: 7 }] } });
    const view = { configuration: observed, progress: new Map(), earlierCommitIndex: 10 };
    expect(nextStep(view, { voters: [1, 2], isObserver: () => true })).toEqual({ kind: "inLine" });
  });

  test("is to exchange a node's lost disk for its new one, whoever else is still learning", () => {
    const learning = { ...votersOnly([1, 2, 3]), learners: [4, newDisk(2)] };
    expect(look(learning, [1, 3, 4, newDisk(2)], [newDisk(2)])).toMatchObject({
      change: {
        steps: [
          { kind: "addVoter", replica: newDisk(2) },
          { kind: "remove", replica: 2 },
        ],
      },
    });
  });

  test("leads from any members to any others, never with a voter that does not keep up", () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
        (voters, wanted, others) => {
          const learners = others.filter((replica) => !voters.includes(replica)).sort((a, b) => a - b);
          let configuration: Configuration = { ...votersOnly(voters), learners };
          for (let steps = 0; ; steps++) {
            expect(steps).toBeLessThan(6);
            const step = look(configuration, wanted, [...configuration.learners, ...configuration.voters]);
            if (step.kind !== "change") {
              expect(step.kind).toBe("inLine");
              break;
            }
            const next = changed(configuration, step.change);
            if (typeof next === "string") throw new Error(next);
            const members = [...configuration.voters, ...configuration.learners];
            expect(next.voters.filter((voter) => !members.includes(voter))).toEqual([]);
            configuration = next;
          }
          expect(isJoint(configuration)).toBe(false);
          expect(configuration).toEqual(votersOnly(wanted));
        },
      ),
    ));
});
