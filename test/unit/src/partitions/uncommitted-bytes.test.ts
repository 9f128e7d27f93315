import { expect, test } from "vitest";
import { UncommittedBytes } from "#src/partitions/uncommitted-bytes.ts";

const mebibyte = 1 << 20;

test("what is not committed is bounded by memory, and by an eighth of the journal", () => {
  for (const [journalBytes, bytesMax] of [
    [Infinity, 128 * mebibyte],
    [4 * mebibyte, mebibyte / 2],
  ] as const) {
    const uncommitted = new UncommittedBytes({ journalBytes });
    uncommitted.add(bytesMax - 1);
    expect(uncommitted.isOver).toBe(false);
    uncommitted.add(1);
    expect(uncommitted.isOver).toBe(true);
  }
});

test("who waits is told once there is room again", () => {
  const uncommitted = new UncommittedBytes({ journalBytes: 80 });
  let toldCount = 0;
  uncommitted.onRoom = () => {
    toldCount += 1;
  };
  uncommitted.add(14);
  uncommitted.remove(4);
  expect(toldCount).toBe(0);
  uncommitted.remove(1);
  uncommitted.remove(9);
  expect(toldCount).toBe(1);
});

test("a partition that forgets its share leaves those of the others", () => {
  const uncommitted = new UncommittedBytes();
  const [one, other] = [uncommitted.share(), uncommitted.share()];
  one.add(10);
  other.add(7);
  one.remove(4);
  expect(uncommitted.bytes).toBe(13);
  one.forget();
  one.forget();
  expect(uncommitted.bytes).toBe(7);
});
