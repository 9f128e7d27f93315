import { expect, test } from "vitest";
import { expiredSegmentCount } from "#storage/retention/retention.ts";

const segments = [100, 200, 300].map((maxTimestampMs) => ({ sizeBytes: 10, maxTimestampMs }));
const limits = { nowMs: 1000, retentionMs: -1, retentionBytes: -1 };

test("nothing goes without limits", () => {
  expect(expiredSegmentCount(segments, limits)).toBe(0);
});

test("a segment goes once its newest record is older than retentionMs", () => {
  expect(expiredSegmentCount(segments, { ...limits, retentionMs: 900 })).toBe(0);
  expect(expiredSegmentCount(segments, { ...limits, retentionMs: 899 })).toBe(1);
  expect(expiredSegmentCount(segments, { ...limits, retentionMs: 0 })).toBe(3);
});

test("a young segment keeps the older-looking ones behind it", () => {
  const mixed = [{ sizeBytes: 10, maxTimestampMs: 999 }, ...segments];
  expect(expiredSegmentCount(mixed, { ...limits, retentionMs: 100 })).toBe(0);
});

test("records without timestamps are never too old", () => {
  expect(expiredSegmentCount([{ sizeBytes: 10, maxTimestampMs: -1 }], { ...limits, retentionMs: 0 })).toBe(0);
});

test("a segment goes only when the rest still holds retentionBytes", () => {
  const counts = [31, 30, 21, 20, 19, 10, 9, 0].map((retentionBytes) =>
    expiredSegmentCount(segments, { ...limits, retentionBytes }),
  );
  expect(counts).toEqual([0, 0, 0, 1, 1, 2, 2, 3]);
});
