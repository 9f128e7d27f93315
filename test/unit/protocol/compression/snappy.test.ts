import { expect, test } from "vitest";
import { compressSnappy, decompressSnappy } from "#protocol/compression/snappy.ts";

const text = "millrace millrace millrace ".repeat(4);
/** Made with Google's implementation. */
const raw = Buffer.from("6c206d696c6c7261636520fe09008a0900", "hex");

function framed(...blocks: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from("82534e41505059000000000100000001", "hex")];
  for (const block of blocks) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

test("raw snappy, as some clients send it, is read", () => {
  expect(Buffer.from(decompressSnappy(raw, 1000)).toString()).toBe(text);
});

test("several framed blocks are joined", () => {
  expect(Buffer.from(decompressSnappy(framed(raw, raw), 1000)).toString()).toBe(text + text);
});

test("what is written carries xerial's header and blocks of 32 KiB", () => {
  const compressed = Buffer.from(compressSnappy(Buffer.alloc(40_000)));
  expect(compressed.subarray(0, 16).toString("hex")).toBe("82534e41505059000000000100000001");
  const firstBlockBytes = compressed.readInt32BE(16);
  expect(20 + firstBlockBytes).toBeLessThan(compressed.length);
});

test("the bound counts all blocks together", () => {
  expect(() => decompressSnappy(framed(raw, raw), 2 * text.length - 1)).toThrow(
    expect.objectContaining({ code: "tooLarge" }),
  );
});

test.each([
  { what: "a block that promises four gigabytes", bytes: Buffer.from("ffffffff0f00", "hex") },
  { what: "a promise that is cut off", bytes: Buffer.from("ffffff", "hex") },
  { what: "a block length past the end", bytes: framed(raw).subarray(0, -1) },
  { what: "a negative block length", bytes: Buffer.concat([framed(), Buffer.alloc(4, 0xff)]) },
  { what: "an empty block", bytes: framed(Buffer.alloc(0)) },
  { what: "half a block length", bytes: Buffer.concat([framed(raw), Buffer.alloc(2)]) },
])("$what is corrupt, even with a generous bound", ({ bytes }) => {
  expect(() => decompressSnappy(bytes, 2 ** 40)).toThrow(expect.objectContaining({ code: "corrupt" }));
});
