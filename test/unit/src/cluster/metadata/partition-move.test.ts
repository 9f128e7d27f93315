import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PartitionImage } from "#src/cluster/metadata/metadata-image.ts";
import {
  arrived,
  holdersOf,
  isReassigning,
  originOf,
  retargeted,
  targetOf,
} from "#src/cluster/metadata/partition-move.ts";

const placed = (replicas: readonly number[]): PartitionImage => ({ index: 0, groupId: 1, replicas });
const nodes = fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 4 });

describe("a move", () => {
  test("shows all replicas, those of the target first, until it is done", () => {
    const moving = retargeted(placed([1, 2, 3]), [3, 4]);
    expect(moving.replicas).toEqual([3, 4, 1, 2]);
    expect(moving.move).toEqual({ adding: [4], removing: [1, 2], leaving: [] });
    expect(arrived(moving)).toEqual({ index: 0, groupId: 1, replicas: [3, 4], founders: [1, 2, 3] });
  });

  test("that only changes the order is done at once", () => {
    const moved = retargeted(placed([1, 2, 3]), [3, 1, 2]);
    expect(moved.replicas).toEqual([3, 1, 2]);
    expect(moved.move).toBeUndefined();
  });

  test("that is taken back is shown no more, and the nodes that were to come keep what they have", () => {
    const moving = retargeted(placed([1]), [4, 5]);
    const back = retargeted(moving, originOf(moving));
    expect(back.replicas).toEqual([1]);
    expect(isReassigning(back)).toBe(false);
    expect(holdersOf(back)).toEqual([1, 4, 5]);
    expect(holdersOf(arrived(back))).toEqual([1]);
  });

  test("that goes elsewhere begins from where the partition was, not from where it was going", () => {
    const moving = retargeted(retargeted(placed([1, 2]), [3, 4]), [2, 5]);
    expect(moving.replicas).toEqual([2, 5, 1]);
    expect(moving.move).toEqual({ adding: [5], removing: [1], leaving: [3, 4] });
  });

  test("never takes a replica from a node before it has arrived, and never forgets who founded the group", () =>
    fc.assert(
      fc.property(nodes, fc.array(nodes, { maxLength: 5 }), (first, targets) => {
        let partition = placed(first);
        const origin = [...first];
        for (const target of targets) {
          const holders = holdersOf(partition);
          partition = retargeted(partition, target);
          expect(targetOf(partition)).toEqual(target);
          expect(new Set(holdersOf(partition))).toEqual(new Set([...holders, ...target]));
          expect(new Set(originOf(partition))).toEqual(new Set(origin));
          expect(partition.founders).toEqual(first);
        }
        const target = targetOf(partition);
        expect(arrived(partition).replicas).toEqual(target);
      }),
    ));
});
