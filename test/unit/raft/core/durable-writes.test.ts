import { expect, test } from "vitest";
import { DurableWrites } from "#raft/core/durable-writes.ts";
import type { Message } from "#raft/core/messages.ts";

function accepted(matchIndex: number, to = 2): Message {
  return { kind: "appendAccepted", from: 1, to, term: 1, matchIndex };
}

function begin(writes: DurableWrites, lastIndex: number, startedTick = 0) {
  return writes.begin({ hardState: { term: 1, votedFor: -1 }, truncations: 0, lastIndex, startedTick });
}

test("a message waits for the write that makes it true, and for those before it", () => {
  const writes = new DurableWrites();
  const first = begin(writes, 5);
  writes.promise(accepted(6));
  const second = begin(writes, 6);
  expect(writes.complete(first)).toMatchObject({ lastIndex: 5, messages: [] });
  expect(writes.complete(second)).toMatchObject({ lastIndex: 6, messages: [accepted(6)] });
});

test("a message that needs no further write waits for those under way, and for none otherwise", () => {
  const writes = new DurableWrites();
  const token = begin(writes, 5);
  writes.promise(accepted(5));
  expect(writes.takeUnconditional()).toEqual([]);
  expect(writes.complete(token).messages).toEqual([accepted(5)]);
  writes.promise(accepted(5));
  expect(writes.takeUnconditional()).toEqual([accepted(5)]);
});

test("a completed write counts only for what was not truncated since", () => {
  const writes = new DurableWrites();
  const old = begin(writes, 8);
  writes.truncateFrom(6);
  const replacement = begin(writes, 7);
  expect(writes.complete(old).lastIndex).toBe(5);
  expect(writes.complete(replacement).lastIndex).toBe(7);
});

test("writes complete in order", () => {
  const writes = new DurableWrites();
  begin(writes, 1);
  const second = begin(writes, 2);
  expect(() => writes.complete(second)).toThrow();
});

test("of acknowledgements to one leader that wait together the last is enough", () => {
  const writes = new DurableWrites();
  for (const message of [accepted(1), accepted(2), accepted(1, 3), accepted(3)]) writes.promise(message);
  expect(writes.takeUnconditional()).toEqual([accepted(2), accepted(1, 3), accepted(3)]);
});

test("tells since when the oldest write is under way", () => {
  const writes = new DurableWrites();
  expect(writes.oldestTick).toBeUndefined();
  const first = begin(writes, 1, 7);
  begin(writes, 2, 9);
  expect(writes.oldestTick).toBe(7);
  writes.complete(first);
  expect(writes.oldestTick).toBe(9);
});
