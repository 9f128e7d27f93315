import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeReplicas } from "#src/cluster/replicas/placement.ts";

const three = [1, 2, 3].map((nodeId) => ({ nodeId, rack: "" }));
const sixInThreeRacks = [1, 2, 3, 4, 5, 6].map((nodeId) => ({ nodeId, rack: `r${nodeId % 3}` }));

describe("replicas", () => {
  test("of one node's cluster are all there", () => {
    const wish = { partitionCount: 2, replicationFactor: 1, start: 7 };
    expect(placeReplicas([{ nodeId: 4, rack: "" }], wish)).toEqual([[4], [4]]);
  });

  test("lead on every node in turn, beginning where they are told to", () => {
    const placed = placeReplicas(three, { partitionCount: 4, replicationFactor: 3, start: 1 });
    expect(placed.map(([leader]) => leader)).toEqual([2, 3, 1, 2]);
  });

  test("follow at another distance in the next round, so that no two nodes always share partitions", () => {
    const placed = placeReplicas(three, { partitionCount: 6, replicationFactor: 2, start: 0 });
    expect(placed).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 3],
      [2, 1],
      [3, 2],
    ]);
  });

  test("are in as many racks as there are", () => {
    for (const replicas of placeReplicas(sixInThreeRacks, {
      partitionCount: 12,
      replicationFactor: 3,
      start: 0,
    })) {
      expect(new Set(replicas.map((nodeId) => nodeId % 3)).size).toBe(3);
    }
  });

  test("are distinct, as many as wished for, and leaders differ by one at most, wherever nodes are", () => {
    const cluster = fc.uniqueArray(
      fc.record({ nodeId: fc.nat(50), rack: fc.constantFrom("", "a", "b", "c") }),
      {
        minLength: 1,
        maxLength: 9,
        selector: ({ nodeId }) => nodeId,
      },
    );
    fc.assert(
      fc.property(cluster, fc.nat(30), fc.nat(1_000), fc.nat(8), (nodes, partitionCount, start, factor) => {
        const replicationFactor = 1 + (factor % nodes.length);
        const placed = placeReplicas(nodes, { partitionCount, replicationFactor, start });
        const led = new Map<number, number>(nodes.map(({ nodeId }) => [nodeId, 0]));
        for (const replicas of placed) {
          expect(new Set(replicas).size).toBe(replicationFactor);
          const leader = replicas[0] ?? -1;
          led.set(leader, (led.get(leader) ?? Number.NaN) + 1);
        }
        expect(placed).toHaveLength(partitionCount);
        expect(Math.max(...led.values()) - Math.min(...led.values())).toBeLessThanOrEqual(1);
      }),
    );
  });
});
