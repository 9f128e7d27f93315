import fc from "fast-check";
import { expect, test } from "vitest";
import { reachedByQuorum, voteResult } from "#raft/core/quorum.ts";

const voterSet = fc.uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 7 });
const maybeVoterSet = fc.oneof(fc.constant<number[]>([]), voterSet);
const reached = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 9, maxLength: 9 });

function hasMajority(voters: readonly number[], has: (voter: number) => boolean): boolean {
  return voters.length === 0 || voters.filter(has).length * 2 > voters.length;
}

test("an index is reached when a majority of each set of voters has it, and none above is", () => {
  fc.assert(
    fc.property(voterSet, maybeVoterSet, reached, (voters, outgoing, indexes) => {
      const index = reachedByQuorum({ voters, outgoing }, (voter) => indexes[voter] ?? 0);
      const has = (limit: number) => (voter: number) => (indexes[voter] ?? 0) >= limit;
      expect(hasMajority(voters, has(index)) && hasMajority(outgoing, has(index))).toBe(true);
      expect(hasMajority(voters, has(index + 1)) && hasMajority(outgoing, has(index + 1))).toBe(false);
    }),
  );
});

test("a ballot is won or lost as soon as the missing votes cannot change it, and not before", () => {
  const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(voterSet, maybeVoterSet, votes, (voters, outgoing, cast) => {
      const wins = (missing: boolean) =>
        hasMajority(voters, (voter) => cast[voter] ?? missing) &&
        hasMajority(outgoing, (voter) => cast[voter] ?? missing);
      const expected = wins(false) ? "won" : wins(true) ? "pending" : "lost";
      expect(voteResult({ voters, outgoing }, (voter) => cast[voter])).toBe(expected);
    }),
  );
});
