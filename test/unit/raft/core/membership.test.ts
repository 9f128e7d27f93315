import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  members,
  votersOnly,
} from "#raft/core/configuration.ts";
import { changed, type MembershipChange } from "#raft/core/membership.ts";

const step = fc.record({
  kind: fc.constantFrom("addVoter", "addLearner", "remove"),
  replica: fc.integer({ min: 1, max: 5 }),
});
const change: fc.Arbitrary<MembershipChange> = fc.oneof(
  fc.constant<MembershipChange>({ kind: "leave" }),
  fc.record({
    kind: fc.constantFrom("auto", "joint", "explicit"),
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  }),
);
const voters = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });

/** All sets of replicas that can decide alone. */
function quorums({ voters: incoming, outgoing }: Configuration): number[] {
  const sets: number[] = [];
  const has = (set: number) => (replica: number) => (set & (1 << replica)) !== 0;
  for (let set = 0; set < 1 << 6; set++) {
    const isMajority = (list: readonly number[]) =>
      list.length === 0 || list.filter(has(set)).length * 2 > list.length;
    if (isMajority(incoming) && isMajority(outgoing)) sets.push(set);
  }
  return sets;
}

test("whatever decides before a change overlaps with whatever decides after it", () => {
  fc.assert(
    fc.property(voters, fc.array(change, { minLength: 1, maxLength: 4 }), (first, changes) => {
      let configuration = votersOnly(first);
      for (const each of changes) {
        const next = changed(configuration, each);
        if (typeof next === "string") continue;
        for (const before of quorums(configuration)) {
          for (const after of quorums(next)) expect(before & after).not.toBe(0);
        }
        configuration = next;
      }
    }),
    { numRuns: 200 },
  );
});

test("a configuration's lists stay sorted and apart, and come back from an entry as they were", () => {
  fc.assert(
    fc.property(voters, fc.array(change, { maxLength: 6 }), (first, changes) => {
      let configuration = votersOnly(first);
      for (const each of changes) {
        const next = changed(configuration, each);
        if (typeof next !== "string") configuration = next;
      }
      expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
      const { learners, learnersNext, outgoing } = configuration;
      for (const learner of learners) {
        expect([...configuration.voters, ...outgoing]).not.toContain(learner);
      }
      for (const learner of learnersNext) expect(outgoing).toContain(learner);
      expect(members(configuration)).toEqual(members(configuration).toSorted((a, b) => a - b));
    }),
  );
});

test("voters are moved one at a time or through a joint configuration, never all removed", () => {
  const three = votersOnly([1, 2, 3]);
  const swap = [
    { kind: "remove", replica: 3 },
    { kind: "addVoter", replica: 4 },
  ] as const;
  expect(changed(three, { kind: "auto", steps: swap })).toMatchObject({
    voters: [1, 2, 4],
    outgoing: [1, 2, 3],
    autoLeave: true,
  });
  expect(changed(votersOnly([1]), { kind: "auto", steps: [{ kind: "remove", replica: 1 }] })).toBe(
    "no-voters",
  );
  expect(changed(three, { kind: "leave" })).toBe("not-joint");
});
