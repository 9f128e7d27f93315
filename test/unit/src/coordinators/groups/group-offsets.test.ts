import { expect, test } from "vitest";
import { type CommittedOffset, GroupOffsets } from "#src/coordinators/groups/group-offsets.ts";

const at = { topic: "orders", partition: 0 };

function committed(offset: number): CommittedOffset {
  return { offset, leaderEpoch: -1, metadata: "", commitTimestampMs: 0, expireTimestampMs: null };
}

test("a commit is visible from its completion on", () => {
  const offsets = new GroupOffsets();
  const pending = offsets.begin([{ ...at, committed: committed(1) }]);
  expect([offsets.find(at), offsets.isPending(at)]).toEqual([undefined, true]);
  pending.complete();
  expect([offsets.find(at)?.offset, offsets.isPending(at)]).toEqual([1, false]);
});

test("an earlier commit that settles late does not undo a later one", () => {
  const offsets = new GroupOffsets();
  const first = offsets.begin([{ ...at, committed: committed(1) }]);
  const second = offsets.begin([{ ...at, committed: committed(2) }]);
  second.complete();
  first.complete();
  expect(offsets.find(at)?.offset).toBe(2);
});

test("of two commits of one partition in one request the second counts, as in the log", () => {
  const offsets = new GroupOffsets();
  offsets
    .begin([
      { ...at, committed: committed(1) },
      { ...at, committed: committed(2) },
    ])
    .complete();
  expect([offsets.find(at)?.offset, offsets.isPending(at)]).toEqual([2, false]);
});

test("an abandoned commit leaves nothing behind", () => {
  const offsets = new GroupOffsets();
  offsets.begin([{ ...at, committed: committed(1) }]).abandon();
  expect(offsets.isEmpty).toBe(true);
});

test("an abandoned commit does not take another one with it", () => {
  const offsets = new GroupOffsets();
  const first = offsets.begin([{ ...at, committed: committed(1) }]);
  const second = offsets.begin([{ ...at, committed: committed(2) }]);
  first.abandon();
  second.complete();
  expect(offsets.find(at)?.offset).toBe(2);
});

test("a removal spares what was committed after it", () => {
  const offsets = new GroupOffsets();
  offsets.restore(at, committed(1));
  const finish = offsets.beginRemoval([at]);
  offsets.begin([{ ...at, committed: committed(2) }]).complete();
  finish();
  expect(offsets.find(at)?.offset).toBe(2);
  offsets.beginRemoval([at])();
  expect(offsets.isEmpty).toBe(true);
});

test("an offset is unstable while any transaction commits it (trap 47)", () => {
  const offsets = new GroupOffsets();
  offsets.holdUnstable(at, 1);
  offsets.holdUnstable(at, 2);
  offsets.releaseUnstable(1);
  expect(offsets.isUnstable(at)).toBe(true);
  offsets.releaseUnstable(2);
  expect([offsets.isUnstable(at), offsets.isEmpty]).toEqual([false, true]);
});
