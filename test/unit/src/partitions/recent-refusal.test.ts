import { expect, test } from "vitest";
import { RecentRefusal } from "#src/partitions/recent-refusal.ts";

const known = 1;
const unknown = 2;
const next = { kind: "next" } as const;
const gap = { kind: "outOfOrder", expectedSequence: 3 } as const;

function refusalAt(nowMs: { value: number }): RecentRefusal {
  return new RecentRefusal({ has: (id) => id === known }, { monotonicMs: () => nowMs.value });
}

function batch(producerId: number, baseSequence: number) {
  return { producerId, producerEpoch: 0, baseSequence, recordCount: 1 };
}

test("nothing is explained where nothing was refused", () => {
  const refusal = refusalAt({ value: 0 });
  expect(refusal.mayExplain(gap, batch(known, 5))).toBe(false);
  expect(refusal.mayExplain(next, batch(unknown, 5))).toBe(false);
});

test("a refusal explains a gap, and a producer that begins in its midst", () => {
  const refusal = refusalAt({ value: 0 });
  refusal.note();
  expect(refusal.mayExplain(gap, batch(known, 5))).toBe(true);
  expect(refusal.mayExplain(next, batch(unknown, 5))).toBe(true);
});

test("it explains neither what comes too early, nor what fits", () => {
  const refusal = refusalAt({ value: 0 });
  refusal.note();
  expect(refusal.mayExplain(gap, batch(known, 2))).toBe(false);
  expect(refusal.mayExplain(next, batch(known, 3))).toBe(false);
  expect(refusal.mayExplain(next, batch(unknown, 0))).toBe(false);
});

test("it explains nothing once its client must have heard of it", () => {
  const nowMs = { value: 0 };
  const refusal = refusalAt(nowMs);
  refusal.note();
  nowMs.value = 999;
  expect(refusal.mayExplain(gap, batch(known, 5))).toBe(true);
  nowMs.value = 1_000;
  expect(refusal.mayExplain(gap, batch(known, 5))).toBe(false);
});
