import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Compression,
  compress,
  compressionId,
  compressionOf,
  decompress,
} from "#protocol/compression/compression.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";

const codecs = ["gzip", "snappy", "lz4", "zstd"] as const;

/** Bytes that compress, so that matches and literals both occur. */
const compressible = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(3000), fc.uint8Array({ maxLength: 300 }))
  .map(([unit, times, tail]) => Buffer.concat([...Array.from({ length: times }, () => unit), tail]));

test("codecs have the ids of a batch's attributes", () => {
  const all: Compression[] = ["none", ...codecs];
  expect(all.map(compressionId)).toEqual([0, 1, 2, 3, 4]);
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(compressionOf)).toEqual([...all, undefined, undefined, undefined]);
});

test("'none' hands the bytes through", () => {
  const bytes = Buffer.from("as they are");
  expect(compress("none", bytes)).toBe(bytes);
  expect(decompress("none", bytes, 1)).toBe(bytes);
});

describe.each(codecs)("%s", (codec) => {
  test("gives back any bytes, with a bound of exactly their size", () => {
    fc.assert(
      fc.property(compressible, (bytes) => {
        const expanded = decompress(codec, compress(codec, bytes), bytes.length);
        expect(Buffer.compare(expanded, bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("gives back nothing for nothing", () => {
    expect(decompress(codec, compress(codec, new Uint8Array()), 0)).toHaveLength(0);
  });

  test("reads its input from the middle of other memory", () => {
    const compressed = compress(codec, Buffer.from("in the middle"));
    const memory = new Uint8Array(compressed.length + 20).fill(0xaa);
    memory.set(compressed, 7);
    const expanded = decompress(codec, memory.subarray(7, 7 + compressed.length), 100);
    expect(Buffer.from(expanded).toString()).toBe("in the middle");
  });

  test("refuses to expand past the bound", () => {
    const bomb = compress(codec, Buffer.alloc(5_000_000));
    for (const outputBytesMax of [1, 1000, 4_999_999]) {
      expect(() => decompress(codec, bomb, outputBytesMax)).toThrow(
        expect.objectContaining({ name: "CompressionError", code: "tooLarge" }),
      );
    }
  });

  test("calls bytes of another kind corrupt", () => {
    for (const bytes of [
      new Uint8Array(),
      Buffer.from("plain text, of some length"),
      Buffer.alloc(40, 0xff),
    ]) {
      expect(() => decompress(codec, bytes, 1000)).toThrow(expect.objectContaining({ code: "corrupt" }));
    }
  });

  test("calls input that is cut off corrupt", () => {
    const whole = compress(codec, Buffer.from("millrace ".repeat(20_000)));
    for (const sizeBytes of [1, 6, whole.length >> 1, whole.length - 1]) {
      expect(() => decompress(codec, whole.subarray(0, sizeBytes), 1_000_000)).toThrow(
        expect.objectContaining({ code: "corrupt" }),
      );
    }
  });

  test("mutated bytes give bounded output or a typed error", () => {
    const outputBytesMax = 4096;
    fc.assert(
      fc.property(
        compressible,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (bytes, changes) => {
          const mutated = Buffer.from(compress(codec, bytes.subarray(0, outputBytesMax)));
          for (const [where, value] of changes) mutated[where % mutated.length] = value;
          try {
            expect(decompress(codec, mutated, outputBytesMax).length).toBeLessThanOrEqual(outputBytesMax);
          } catch (error) {
            if (!(error instanceof CompressionError)) throw error;
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

test.each(["gzip", "zstd"] as const)("%s compresses smaller at a higher level", (codec) => {
  const words = ["mill", "race", "wheel", "water", "grain", "stone"];
  let state = 1;
  const text = Array.from({ length: 20_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return words[state % 6];
  }).join(" ");
  const sizes = [1, 9].map((level) => compress(codec, Buffer.from(text), level).length);
  expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
});
