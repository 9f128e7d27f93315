import fc from "fast-check";
import { expect, test } from "vitest";
import { OffsetIndex } from "#storage/log/offset-index.ts";

test("an empty index sends every search to the start", () => {
  expect(new OffsetIndex(100).lookup(1000)).toBe(0);
});

test("a search answers the last entry at or before the offset", () => {
  const index = new OffsetIndex(100);
  index.add({ lastOffset: 110, position: 5000 });
  index.add({ lastOffset: 120, position: 10_000 });
  expect([100, 109, 110, 119, 120, 5000].map((offset) => index.lookup(offset))).toEqual([
    0, 0, 5000, 5000, 10_000, 10_000,
  ]);
});

test("entries are laid out as Kafka's: relative offset and position, 32 bits each, big end first", () => {
  const index = new OffsetIndex(100);
  index.add({ lastOffset: 110, position: 0x1234 });
  expect(Buffer.from(index.encode()).toString("hex")).toBe("0000000a00001234");
});

test("what is encoded decodes to the same answers, also after a cut", () => {
  const steps = fc.array(
    fc.record({ offsets: fc.integer({ min: 1, max: 1e6 }), bytes: fc.integer({ min: 1, max: 1e6 }) }),
  );
  fc.assert(
    fc.property(steps, fc.nat(), (deltas, cutAt) => {
      const index = new OffsetIndex(7);
      let [lastOffset, position] = [7, 0];
      for (const delta of deltas) {
        lastOffset += delta.offsets;
        position += delta.bytes;
        index.add({ lastOffset, position });
      }
      index.cut(cutAt % (position + 2));
      const decoded = OffsetIndex.decode(index.encode(), { baseOffset: 7, sizeBytes: position + 1 });
      expect(decoded?.count).toBe(index.count);
      for (let offset = 7; offset <= lastOffset; offset += Math.ceil(lastOffset / 50)) {
        expect(decoded?.lookup(offset)).toBe(index.lookup(offset));
      }
    }),
  );
});

test("batches that were cut off are forgotten", () => {
  const index = new OffsetIndex(0);
  for (let i = 1; i <= 200; i++) index.add({ lastOffset: i, position: i * 100 });
  index.cut(5000);
  expect(index.count).toBe(49);
  expect(index.lookup(1000)).toBe(4900);
});

test("files that cannot be an index are refused", () => {
  const index = new OffsetIndex(0);
  index.add({ lastOffset: 10, position: 100 });
  index.add({ lastOffset: 20, position: 200 });
  const bytes = index.encode();
  const segment = { baseOffset: 0, sizeBytes: 1000 };
  expect(OffsetIndex.decode(bytes.subarray(0, 12), segment)).toBeUndefined();
  expect(OffsetIndex.decode(bytes, { ...segment, sizeBytes: 200 })).toBeUndefined();
  expect(OffsetIndex.decode(new Uint8Array(16), segment)).toBeUndefined();
  expect(OffsetIndex.decode(bytes.toReversed(), segment)).toBeUndefined();
});
