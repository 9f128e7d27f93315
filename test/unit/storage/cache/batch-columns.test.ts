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

test("what of one buffer leaves a stretch is what a filter would take, wherever the stretch lies", () => {
  const step = fc.record({ buffer: fc.nat(2), from: fc.nat(60), length: fc.nat(60), added: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.nat(2), { minLength: 1 }), (steps, turns) => {
      const columns = new BatchColumns();
      const buffers = [0, 1, 2].map((fill) => new Uint8Array(8).fill(fill));
      let model: { readonly buffer: ArrayBufferLike; readonly baseOffset: number }[] = [];
      let nextOffset = 0;
      for (const { buffer, from, length, added } of steps) {
        for (let i = 0; i < added; i++) {
          const bytes = buffers[turns[nextOffset % turns.length] ?? 0] ?? new Uint8Array(8);
          columns.insert(columns.count, { bytes, baseOffset: nextOffset, nextOffset: nextOffset + 1 });
          model.push({ buffer: bytes.buffer, baseOffset: nextOffset });
          nextOffset += 1;
        }
        const start = Math.min(from, model.length);
        const end = Math.min(start + length, model.length);
        const gone = buffers[buffer]?.buffer ?? new ArrayBuffer(0);
        const kept = model.filter((batch, at) => at < start || at >= end || batch.buffer !== gone);
        expect(columns.removeOf(gone, start, end)).toBe(model.length - kept.length);
        model = kept;
        const held = Array.from({ length: columns.count }, (_, at) => {
          return { buffer: columns.buffer(at), baseOffset: columns.baseOffset(at) };
        });
        expect(held.map(({ baseOffset }) => baseOffset)).toEqual(model.map(({ baseOffset }) => baseOffset));
        expect(held.every((batch, at) => batch.buffer === model[at]?.buffer)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
