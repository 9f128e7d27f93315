import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SparseBytes } from "#storage/io/sparse-bytes.ts";

const limit = 300_000;
const position = fc.nat(limit);
const change = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    position,
    byte: fc.nat(255),
    sizeBytes: fc.integer({ min: 1, max: 140_000 }),
  }),
  fc.record({ kind: fc.constant("resize" as const), position }),
);

describe("sparse bytes", () => {
  test("hold what a plain array of bytes would", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const sparse = new SparseBytes();
        let plain = Buffer.alloc(0);
        for (const each of changes) {
          const end = each.kind === "write" ? each.position + each.sizeBytes : 0;
          const grown = Buffer.alloc(each.kind === "write" ? Math.max(plain.length, end) : each.position);
          plain.copy(grown);
          plain = grown;
          if (each.kind === "resize") sparse.resize(each.position);
          else {
            plain.fill(each.byte, each.position, end);
            sparse.write(each.position, new Uint8Array(each.sizeBytes).fill(each.byte));
          }
        }
        expect(sparse.sizeBytes).toBe(plain.length);
        const found = Buffer.alloc(plain.length + 10, 0xee);
        expect(sparse.read(0, found)).toBe(plain.length);
        expect(found.subarray(0, plain.length).equals(plain)).toBe(true);
        const middle = Math.floor(plain.length / 2);
        const rest = Buffer.alloc(plain.length - middle);
        sparse.read(middle, rest);
        expect(rest.equals(plain.subarray(middle))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("take no memory for zeros", () => {
    const sparse = new SparseBytes();
    for (let at = 0; at < 64; at++) sparse.write(at * 1_048_576, new Uint8Array(1_048_576));
    expect(sparse.sizeBytes).toBe(64 * 1_048_576);
    expect(sparse.usedBytes).toBe(0);
  });
});
