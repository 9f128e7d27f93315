import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EvacuationPlan, planEvacuation } from "#src/cluster/admin/evacuation-plan.ts";
import { applyCommand } from "#src/cluster/metadata/apply-command.ts";
import type { MetadataImage } from "#src/cluster/metadata/metadata-image.ts";
import { arrived, targetOf } from "#src/cluster/metadata/partition-move.ts";
import { imageOf } from "../operations-world.ts";

const everywhere = { movesMax: 16, isReachable: () => true };

/** The image with these racks; nodes that have no replica yet are added. */
function withRacks(image: MetadataImage, racks: Readonly<Record<number, string>>): MetadataImage {
  const brokers = new Map(image.brokers);
  for (const [id, rack] of Object.entries(racks)) {
    const nodeId = Number(id);
    brokers.set(nodeId, {
      ...{ nodeId, incarnation: "i", endpoints: [], directoryId: `d${nodeId}`, isFenced: false },
      ...image.brokers.get(nodeId),
      rack,
    });
  }
  return { ...image, brokers };
}

function replicasOf({ moves }: EvacuationPlan): (readonly number[])[] {
  return moves.map(({ replicas }) => replicas);
}

describe("the replicas of a node that is decommissioned", () => {
  test("go to a node that has none, each in its place", () => {
    const image = withRacks(
      imageOf(
        [
          [1, 2, 3],
          [2, 3, 1],
          [2, 3],
        ],
        { 1: "decommission" },
      ),
      { 4: "" },
    );
    expect(replicasOf(planEvacuation(image, everywhere))).toEqual([
      [4, 2, 3],
      [2, 3, 4],
    ]);
  });

  test("go to a rack that the partition is not in, however much is there", () => {
    const partitions = [[1, 2], [3], [3], [3]];
    const racks = { 1: "a", 2: "b", 3: "a", 4: "b" };
    const image = withRacks(imageOf(partitions, { 1: "decommission" }), racks);
    expect(replicasOf(planEvacuation(image, everywhere))).toEqual([[3, 2]]);
  });

  test("are shared out among the nodes that have least", () => {
    const partitions = Array.from({ length: 8 }, () => [1]);
    const image = withRacks(imageOf(partitions, { 1: "decommission" }), { 2: "", 3: "" });
    const given = replicasOf(planEvacuation(image, everywhere)).flat();
    expect(given.filter((nodeId) => nodeId === 2)).toHaveLength(4);
    expect(given.filter((nodeId) => nodeId === 3)).toHaveLength(4);
  });

  test("stay where no other node may take them, and that is told", () => {
    const stuck = { moves: [], stuckCount: 1 };
    const image = imageOf([[1, 2, 3]], { 1: "decommission" });
    expect(planEvacuation(image, everywhere)).toMatchObject(stuck);
    const withFourth = withRacks(imageOf([[1, 2, 3]], { 1: "decommission", 4: "maintenance" }), { 4: "" });
    expect(planEvacuation(withFourth, everywhere)).toMatchObject(stuck);
    const dead = withRacks(image, { 4: "" });
    expect(planEvacuation(dead, { ...everywhere, isReachable: (nodeId) => nodeId !== 4 })).toMatchObject(
      stuck,
    );
  });

  test("leave a few at a time, those counted that are on their way", () => {
    const partitions = Array.from({ length: 5 }, () => [1]);
    let image = withRacks(imageOf(partitions, { 1: "decommission" }), { 2: "" });
    const first = planEvacuation(image, { ...everywhere, movesMax: 3 });
    expect(first.moves).toHaveLength(3);
    for (const move of first.moves) image = applyCommand(image, { kind: "setReplicas", ...move }).image;
    expect(planEvacuation(image, { ...everywhere, movesMax: 3 }).moves).toHaveLength(0);
    expect(planEvacuation(image, { ...everywhere, movesMax: 4 }).moves).toHaveLength(1);
  });

  test("are all gone in the end, none twice in a partition, whatever there was", () =>
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }), {
          maxLength: 12,
        }),
        fc.dictionary(fc.constantFrom("1", "2", "3", "4", "5", "6"), fc.constantFrom("", "a", "b")),
        (partitions, racks) => {
          const all = { 1: "", 2: "", 3: "", 4: "", 5: "", 6: "", ...racks };
          let image = withRacks(imageOf(partitions, { 1: "decommission", 2: "decommission" }), all);
          for (let round = 0; round < 20; round++) {
            for (const move of planEvacuation(image, everywhere).moves) {
              image = applyCommand(image, { kind: "setReplicas", ...move }).image;
            }
            image = arriveAll(image);
          }
          const placed = image.topics.get("t")?.partitions.map(targetOf) ?? [];
          for (const [at, replicas] of placed.entries()) {
            expect(replicas).not.toContain(1);
            expect(replicas).not.toContain(2);
            expect(new Set(replicas).size).toBe(partitions[at]?.length);
          }
        },
      ),
    ));

  test("are not looked for where nobody is decommissioned", () => {
    const image = imageOf([[1, 2, 3]], { 1: "maintenance" });
    expect(planEvacuation(image, everywhere)).toEqual({ moves: [], stuckCount: 0, left: new Map() });
  });
});

function arriveAll(image: MetadataImage): MetadataImage {
  const topic = image.topics.get("t");
  if (!topic) return image;
  const partitions = topic.partitions.map((partition) => (partition.move ? arrived(partition) : partition));
  return { ...image, topics: new Map([["t", { ...topic, partitions }]]) };
}
