import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchColumns } from "#storage/cache/batch-columns.ts";

test("random inserts and removals leave what an array of objects would hold", () => {
  const operation = fc.record({
    isRemoval: fc.boolean(),
    at: fc.nat(40),
    count: fc.integer({ min: 1, max: 12 }),
    isFront: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const columns = new BatchColumns();
      const model: { bytes: Uint8Array; baseOffset: number; nextOffset: number; follows: number }[] = [];
      let nextOffset = 0;
      for (const { isRemoval, at, count, isFront } of operations) {
        const from = isFront ? 0 : Math.min(at, model.length);
        if (isRemoval) {
          const to = Math.min(from + count, model.length);
          columns.remove(from, to);
          model.splice(from, to - from);
        } else {
          // Room is left between batches, for those that come in later.
          for (let i = 0; i < count; i++) {
            const buffer = new Uint8Array(50).fill(nextOffset);
            const batch = {
              bytes: buffer.subarray(3, 3 + count),
              baseOffset: nextOffset + 4,
              nextOffset: nextOffset + 6,
            };
            columns.insert(model.length, batch, nextOffset);
            model.push({ ...batch, follows: nextOffset });
            nextOffset += 100;
          }
          const before = model[from - 1];
          const after = model[from];
          const base = (before?.nextOffset ?? -1) + 1;
          if (after && base + 1 < after.baseOffset) {
            const batch = { bytes: new Uint8Array([from]), baseOffset: base, nextOffset: base + 1 };
            columns.insert(from, batch);
            model.splice(from, 0, { ...batch, follows: base });
          }
        }
        expect(columns.count).toBe(model.length);
        expect(model.map((_, i) => ({ ...columns.batch(i), follows: columns.follows(i) }))).toEqual(model);
        for (const offset of [0, at * 10, nextOffset]) {
          const expected = model.findIndex((batch) => batch.nextOffset > offset);
          expect(columns.endingAfter(offset)).toBe(expected < 0 ? model.length : expected);
        }
      }
    }),
    { numRuns: 60 },
  );
});
