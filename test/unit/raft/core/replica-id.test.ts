import { expect, test } from "vitest";
import { incarnationOf, incarnationsMax, nodeIdOf, noReplica, replicaId } from "#raft/core/replica-id.ts";

test("a replica's id holds its node and its disk's incarnation", () => {
  for (const nodeId of [0, 1, 7, 2 ** 31 - 1]) {
    for (const incarnation of [0, 1, incarnationsMax - 1]) {
      const id = replicaId({ nodeId, incarnation });
      expect(Number.isSafeInteger(id)).toBe(true);
      expect([nodeIdOf(id), incarnationOf(id)]).toEqual([nodeId, incarnation]);
    }
  }
});

test("the first incarnation has its node's id", () => {
  expect(replicaId({ nodeId: 3, incarnation: 0 })).toBe(3);
});

test("nobody lives on no node", () => {
  expect(nodeIdOf(noReplica)).toBe(-1);
});

test("what does not fit is refused", () => {
  expect(() => replicaId({ nodeId: -1, incarnation: 0 })).toThrow();
  expect(() => replicaId({ nodeId: 1, incarnation: incarnationsMax })).toThrow();
});
