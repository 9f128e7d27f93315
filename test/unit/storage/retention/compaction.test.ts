import { describe, expect, test } from "vitest";
import { type CompactionRules, compactableRange } from "#storage/retention/compaction.ts";

const rules: CompactionRules = {
  minDirtyRatio: 0.5,
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 0,
};

/** Ten offsets and a hundred bytes each; the last one is open. */
const segments = [0, 1, 2, 3, 4].map((i) => ({
  baseOffset: i * 10,
  nextOffset: i * 10 + 10,
  sizeBytes: 100,
  firstTimestampMs: 1000 + i * 100,
  maxTimestampMs: 1050 + i * 100,
  isSealed: i < 4,
}));

const fresh = { cleanedOffset: 0, startOffset: 0 };

describe("what of a log can be compacted", () => {
  test("all sealed segments of a log that never was", () => {
    expect(compactableRange(segments, fresh, { nowMs: 5000, rules })).toEqual({
      dirtyOffset: 0,
      endOffset: 40,
      cleanBytes: 0,
      dirtyBytes: 400,
      dirtyRatio: 1,
      isDue: true,
    });
  });

  test("only what came after the last time is dirty, and the ratio must be over the limit", () => {
    const half = compactableRange(segments, { cleanedOffset: 20, startOffset: 0 }, { nowMs: 5000, rules });
    expect(half).toMatchObject({ dirtyOffset: 20, cleanBytes: 200, dirtyBytes: 200, isDue: false });
    const more = compactableRange(segments, { cleanedOffset: 10, startOffset: 0 }, { nowMs: 5000, rules });
    expect(more).toMatchObject({ dirtyRatio: 0.75, isDue: true });
  });

  test("a segment that was compacted in part is dirty as a whole", () => {
    const range = compactableRange(segments, { cleanedOffset: 25, startOffset: 0 }, { nowMs: 5000, rules });
    expect(range).toMatchObject({ dirtyOffset: 25, cleanBytes: 200, dirtyBytes: 200 });
  });

  test("nothing below the start of the log counts", () => {
    const range = compactableRange(segments, { cleanedOffset: 5, startOffset: 30 }, { nowMs: 5000, rules });
    expect(range).toMatchObject({ dirtyOffset: 30, endOffset: 40, dirtyBytes: 100 });
  });

  test("it ends before the first segment with a record that is too young", () => {
    const young = { ...rules, minLagMs: 1000 };
    expect(compactableRange(segments, fresh, { nowMs: 2250, rules: young }).endOffset).toBe(30);
    expect(compactableRange(segments, fresh, { nowMs: 2249, rules: young }).endOffset).toBe(20);
    expect(compactableRange(segments, fresh, { nowMs: 1500, rules: young })).toMatchObject({
      endOffset: 0,
      dirtyRatio: 0,
      isDue: false,
    });
  });

  test("a dirty record that is too old makes it due whatever the ratio", () => {
    const log = { cleanedOffset: 30, startOffset: 0 };
    const old = { ...rules, maxLagMs: 1000 };
    expect(compactableRange(segments, log, { nowMs: 2300, rules: old }).isDue).toBe(false);
    expect(compactableRange(segments, log, { nowMs: 2301, rules: old }).isDue).toBe(true);
  });

  test("an empty log, and one with an open segment only, have nothing", () => {
    expect(compactableRange([], fresh, { nowMs: 0, rules }).isDue).toBe(false);
    expect(compactableRange(segments.slice(4), fresh, { nowMs: 0, rules })).toMatchObject({
      dirtyBytes: 0,
      isDue: false,
    });
  });
});
