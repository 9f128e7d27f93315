import fc from "fast-check";
import { expect, test } from "vitest";
import { partitionKey } from "#src/cli/client/partition-leaders.ts";
import { assignRanges } from "#src/cli/client/range-assignor.ts";

const partitionsOf = (count: number) => () => Array.from({ length: count }, (_, partition) => partition);

test("the first members take one more where it does not come out even", () => {
  const members = ["b", "a", "c"].map((memberId) => ({ memberId, topics: ["t"] }));
  const assigned = assignRanges(members, partitionsOf(7));
  const numbers = (memberId: string) => assigned.get(memberId)?.map(({ partition }) => partition);
  expect([numbers("a"), numbers("b"), numbers("c")]).toEqual([
    [0, 1, 2],
    [3, 4],
    [5, 6],
  ]);
});

test("every partition goes to exactly one member that wants its topic, and the shares differ by one at most", () => {
  const topics = ["x", "y", "z"];
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.subarray(topics), { minLength: 6, maxLength: 6 }),
      fc.nat(12),
      (memberIds, wishes, count) => {
        const members = memberIds.map((memberId, index) => ({ memberId, topics: wishes[index] ?? [] }));
        const assigned = assignRanges(members, partitionsOf(count));
        expect([...assigned.keys()].toSorted()).toEqual(memberIds.toSorted());
        const given = [...assigned.values()].flat().map(partitionKey);
        const wanted = topics.filter((topic) => members.some((member) => member.topics.includes(topic)));
        const all = wanted.flatMap((topic) =>
          partitionsOf(count)().map((partition) => partitionKey({ topic, partition })),
        );
        expect(given.toSorted()).toEqual(all.toSorted());
        for (const topic of wanted) {
          const shares = members
            .filter((member) => member.topics.includes(topic))
            .map(({ memberId }) => assigned.get(memberId)?.filter((one) => one.topic === topic).length ?? 0);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        }
      },
    ),
  );
});
