import { expect, test } from "vitest";
import { TimeIndex } from "#storage/log/time-index.ts";

test("a search answers the last entry that is not younger, else the base offset", () => {
  const index = new TimeIndex(50);
  index.add({ timestampMs: 1000, offset: 60 });
  index.add({ timestampMs: 2000, offset: 70 });
  expect([0, 999, 1000, 1999, 2000, 9999].map((timestampMs) => index.lookup(timestampMs))).toEqual([
    50, 50, 60, 60, 70, 70,
  ]);
});

test("timestamps that do not grow add nothing", () => {
  const index = new TimeIndex(0);
  for (const [offset, timestampMs] of [-1, 5, 5, 3, 6].entries()) index.add({ timestampMs, offset });
  expect(index.count).toBe(2);
  expect(index.lookup(5)).toBe(1);
});

test("entries are laid out as Kafka's: timestamp in 64 bits, relative offset in 32", () => {
  const index = new TimeIndex(50);
  index.add({ timestampMs: 1_700_000_000_000, offset: 60 });
  const bytes = index.encode();
  expect(Buffer.from(bytes).toString("hex")).toBe("0000018bcfe568000000000a");
  const decoded = TimeIndex.decode(bytes, { baseOffset: 50, nextOffset: 61 });
  expect(decoded?.lookup(1_700_000_000_000)).toBe(60);
});

test("entries of batches that were cut off are forgotten", () => {
  const index = new TimeIndex(0);
  for (let offset = 0; offset < 200; offset++) index.add({ timestampMs: offset, offset });
  index.cut(100);
  expect(index.count).toBe(100);
  expect(index.lookup(1000)).toBe(99);
});

test("files that cannot be an index are refused", () => {
  const segment = { baseOffset: 0, nextOffset: 10 };
  expect(TimeIndex.decode(new Uint8Array(11), segment)).toBeUndefined();
  expect(TimeIndex.decode(new Uint8Array(24), segment)).toBeUndefined();
  expect(TimeIndex.decode(new Uint8Array(12).fill(9), segment)).toBeUndefined();
});
