import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchCache } from "#storage/cache/batch-cache.ts";

function batch(baseOffset: number, nextOffset = baseOffset + 1, bytes = new Uint8Array(100)) {
  return { baseOffset, nextOffset, bytes };
}

describe("finding", () => {
  test("a batch is found from each of its offsets", () => {
    const log = new BatchCache(1000).forLog();
    log.put(batch(10, 15));
    expect([9, 10, 14, 15].map((offset) => log.find(offset)?.baseOffset)).toEqual([
      undefined,
      10,
      10,
      undefined,
    ]);
  });

  test("a gap is read over only where the next batch is known to follow", () => {
    const log = new BatchCache(1000).forLog();
    log.put(batch(0, 5));
    log.put(batch(8, 10), 5);
    log.put(batch(20, 22));
    expect(log.find(6)?.baseOffset).toBe(8);
    expect(log.find(12)).toBeUndefined();
  });

  test("batches that come again or overlap change nothing", () => {
    const log = new BatchCache(10_000).forLog();
    const first = batch(10, 15);
    log.put(first);
    log.put(batch(10, 15));
    log.put(batch(12, 20));
    log.put(batch(5, 11));
    expect(log.find(12)?.bytes.buffer).toBe(first.bytes.buffer);
    expect([5, 16].map((offset) => log.find(offset))).toEqual([undefined, undefined]);
  });

  test("logs do not see each other's batches", () => {
    const cache = new BatchCache(1000);
    cache.forLog().put(batch(0));
    expect(cache.forLog().find(0)).toBeUndefined();
  });
});

describe("the budget", () => {
  test("what was used least recently goes first", () => {
    const cache = new BatchCache(250);
    const [a, b, c] = [cache.forLog(), cache.forLog(), cache.forLog()];
    a.put(batch(0));
    b.put(batch(0));
    a.find(0);
    c.put(batch(0));
    expect([a, b, c].map((log) => log.find(0) !== undefined)).toEqual([true, false, true]);
    expect(cache.sizeBytes).toBe(200);
  });

  test("a view counts with all the memory that it keeps alive, once", () => {
    const cache = new BatchCache(100_000);
    const [a, b] = [cache.forLog(), cache.forLog()];
    const frame = new Uint8Array(60_000);
    a.put(batch(0, 1, frame.subarray(0, 100)));
    b.put(batch(0, 1, frame.subarray(100, 200)));
    expect(cache.sizeBytes).toBe(60_000);
    a.clear();
    expect(cache.sizeBytes).toBe(60_000);
    b.clear();
    expect(cache.sizeBytes).toBe(0);
  });

  test("many small batches count with what each takes besides its bytes", () => {
    const cache = new BatchCache(1000, { batchOverheadBytes: 400 });
    const log = cache.forLog();
    for (let offset = 0; offset < 10; offset++) log.put(batch(offset, offset + 1, new Uint8Array(10)));
    expect(cache.sizeBytes).toBeLessThanOrEqual(1000);
    log.clear();
    expect(cache.sizeBytes).toBe(0);
  });

  test("a buffer that several logs share goes as a whole, and only what lies in it", () => {
    const cache = new BatchCache(2_500);
    const [a, b] = [cache.forLog(), cache.forLog()];
    const shared = new Uint8Array(1_000);
    a.put(batch(0, 1, shared.subarray(0, 500)));
    a.put(batch(1, 2, new Uint8Array(700)));
    a.put(batch(2, 3, shared.subarray(500, 600)));
    b.put(batch(7, 8, shared.subarray(600)));
    b.put(batch(8, 9, new Uint8Array(700)));
    expect(cache.sizeBytes).toBe(2_400);
    a.find(1);
    a.put(batch(3, 4, new Uint8Array(1_000)));
    expect([0, 1, 2, 3].map((offset) => a.find(offset) !== undefined)).toEqual([false, true, false, true]);
    expect([7, 8].map((offset) => b.find(offset) !== undefined)).toEqual([false, true]);
    expect(cache.sizeBytes).toBe(2_400);
  });

  test("a cache without room holds nothing and harms nobody", () => {
    const cache = new BatchCache(0);
    const log = cache.forLog();
    log.put(batch(0));
    expect(log.find(0)).toBeUndefined();
    expect(cache.sizeBytes).toBe(0);
  });
});

test("random puts, finds and trims: what is found was put, and the budget holds", () => {
  const operation = fc.record({
    log: fc.nat(2),
    kind: fc.nat(9),
    offset: fc.nat(60),
    sizeBytes: fc.integer({ min: 1, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const cache = new BatchCache(3000);
      const logs = [cache.forLog(), cache.forLog(), cache.forLog()];
      const put = [new Set(), new Set(), new Set()];
      for (const { log, kind, offset, sizeBytes } of operations) {
        const part = logs[log];
        if (!part) continue;
        if (kind === 0) part.trimTo(offset);
        if (kind > 4) {
          const fresh = batch(offset * 3, offset * 3 + 3, new Uint8Array(sizeBytes));
          put[log]?.add(fresh.bytes.buffer);
          part.put(fresh);
        }
        const found = part.find(offset);
        if (found) {
          expect(put[log]?.has(found.bytes.buffer)).toBe(true);
          expect(found.baseOffset <= offset && offset < found.nextOffset).toBe(true);
        }
        expect(cache.sizeBytes).toBeLessThanOrEqual(3000);
      }
    }),
  );
});
