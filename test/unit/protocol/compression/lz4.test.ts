import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import { describe, expect, test } from "vitest";
import { compressLz4, decompressLz4 } from "#protocol/compression/lz4.ts";
import { measureLz4Frame, readLz4Frame } from "#protocol/compression/lz4-frame.ts";

/** 81,000 bytes: more than one block of 64 KiB, so that blocks can be linked. */
const content = Buffer.from("millrace millrace millrace ".repeat(3000));
const ff = (count: number): string => "ff".repeat(count);

/** Made with the reference implementation (liblz4 1.10, through Python). */
const frames = {
  "independent blocks, no checksums": `04224d18604082130100009f6d696c6c72616365200900${ff(256)}df506c6c7261634f0000009f65206d696c6c7261630900${ff(60)}8350726163652000000000`,
  "linked blocks, content size, block and content checksums": `04224d185c40683c01000000000046130100009f6d696c6c72616365200900${ff(256)}df506c6c72616377bdb38b460000000ff9ff${ff(60)}8c5072616365203622755900000000804f4d5c`,
};

/** A frame's header with independent blocks of 64 KiB, and one block's length. */
const header = (blockBytes: number): Buffer => {
  const bytes = Buffer.from("04224d1860408200000000", "hex");
  bytes.writeUInt32LE(blockBytes, 7);
  return bytes;
};
const endMark = Buffer.alloc(4);

const measure = (bytes: Uint8Array, outputBytesMax: number): number =>
  measureLz4Frame(bytes, readLz4Frame(bytes), outputBytesMax);

describe.each(Object.entries(frames))("a frame with %s", (_, hex) => {
  const frame = Buffer.from(hex, "hex");

  test("is measured without being expanded", () => {
    expect(measure(frame, content.length)).toBe(content.length);
  });

  test("is read", () => {
    expect(Buffer.compare(decompressLz4(frame, content.length), content)).toBe(0);
  });

  test("is refused one byte below its size", () => {
    expect(() => decompressLz4(frame, content.length - 1)).toThrow(
      expect.objectContaining({ code: "tooLarge" }),
    );
  });
});

test("what is written has independent blocks, as Java's readers need", () => {
  const flags = compressLz4(content)[4] ?? 0;
  expect(flags & 0xe0).toBe(0x60);
});

test("incompressible content is stored and measured right", () => {
  let state = 7;
  const noise = Buffer.from(
    Array.from({ length: 70_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
  expect(Buffer.compare(decompressLz4(compressLz4(noise), noise.length), noise)).toBe(0);
});

test.each([
  { what: "a frame without its end mark", bytes: compressLz4(content).subarray(0, -4) },
  { what: "a block larger than what is left", bytes: Buffer.concat([header(1000), Buffer.alloc(10)]) },
  { what: "a legacy frame", bytes: Buffer.from("02214c180400000010616263", "hex") },
  { what: "a frame that needs a dictionary", bytes: Buffer.from("04224d1861408200000000", "hex") },
  { what: "a frame of another version", bytes: Buffer.from("04224d18a0408200000000", "hex") },
  { what: "a block size that is not assigned", bytes: Buffer.from("04224d1860308200000000", "hex") },
  {
    what: "a block that expands past its maximum",
    bytes: Buffer.concat([header(306), Buffer.from(`1f610100${ff(301)}00`, "hex"), endMark]),
  },
  {
    what: "a block that ends in a match",
    bytes: Buffer.concat([header(4), Buffer.from("10610100", "hex"), endMark]),
  },
])("$what is corrupt", ({ bytes }) => {
  expect(() => measure(bytes, 1_000_000)).toThrow(expect.objectContaining({ code: "corrupt" }));
});

test("a match that reaches before the content is corrupt", () => {
  const bytes = Buffer.concat([header(6), Buffer.from("106109001061", "hex"), endMark]);
  expect(measure(bytes, 100)).toBe(6);
  expect(() => decompressLz4(bytes, 100)).toThrow(expect.objectContaining({ code: "corrupt" }));
});

test("frames of the library's own, with large blocks, are read", () => {
  const large = Buffer.concat(Array.from({ length: 20 }, () => content));
  const frame = compressFrameSync(large, { contentChecksum: true, blockChecksums: true });
  expect(frame[5]).toBe(0x70);
  expect(Buffer.compare(decompressLz4(frame, large.length), large)).toBe(0);
});

test("what is written is read by the library's own frame reader", () => {
  for (const sizeBytes of [0, 1, 12, 65_535, 65_536, 65_537, content.length]) {
    const plain = content.subarray(0, sizeBytes);
    const frame = compressLz4(plain);
    expect(Buffer.compare(decompressFrameSync(Buffer.from(frame)), plain), `${sizeBytes} bytes`).toBe(0);
  }
});
