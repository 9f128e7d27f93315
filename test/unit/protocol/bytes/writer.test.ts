import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Writer } from "#protocol/bytes/writer.ts";

function hexOf(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  return Buffer.from(writer.toBytes()).toString("hex");
}

test("writes each primitive type at its edges", () => {
  expect(hexOf((writer) => writer.int8(-0x80))).toBe("80");
  expect(hexOf((writer) => writer.int16(-0x8000))).toBe("8000");
  expect(hexOf((writer) => writer.uint16(0xffff))).toBe("ffff");
  expect(hexOf((writer) => writer.int32(-0x8000_0000))).toBe("80000000");
  expect(hexOf((writer) => writer.uint32(0xffff_ffff))).toBe("ffffffff");
  expect(hexOf((writer) => writer.int64(Number.MIN_SAFE_INTEGER))).toBe("ffe0000000000001");
  expect(hexOf((writer) => writer.int64(-1))).toBe("ffffffffffffffff");
  expect(hexOf((writer) => writer.float64(1.5))).toBe("3ff8000000000000");
  expect(hexOf((writer) => writer.boolean(true))).toBe("01");
  expect(hexOf((writer) => writer.uuid("BQUFBQUFBQUFBQUFBQUFBQ"))).toBe("05".repeat(16));
});

test("refuses numbers that do not fit instead of cutting them", () => {
  const writer = new Writer();
  const wrong: [keyof Writer & ("int8" | "int16" | "uint16" | "int32" | "uint32" | "int64"), number][] = [
    ["int8", 0x80],
    ["int16", -0x8001],
    ["uint16", -1],
    ["int32", 2 ** 31],
    ["int32", Number.NaN],
    ["int32", 1.5],
    ["uint32", -1],
    ["int64", 2 ** 53],
    ["int64", 0.5],
  ];
  for (const [type, value] of wrong) {
    expect(() => writer[type](value)).toThrow(expect.objectContaining({ code: "outOfRange" }));
  }
  expect(writer.sizeBytes).toBe(0);
});

test("refuses what is not a uuid and what is too long for a string", () => {
  const writer = new Writer();
  for (const uuid of ["", "short", "BQUFBQUFBQUFBQUFBQUF!!", "BQUFBQUFBQUFBQUFBQUFBQUF"]) {
    expect(() => writer.uuid(uuid)).toThrow("not 22 characters");
  }
  expect(() => writer.string("x".repeat(0x8000))).toThrow("longer than 32767");
  expect(() => writer.compactString("é".repeat(0x4000))).toThrow("longer than 32767");
});

test("strings of any length and alphabet carry their size in bytes", () =>
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      const bytes = Buffer.from(text);
      const size = Buffer.alloc(2);
      size.writeInt16BE(bytes.length);
      expect(hexOf((writer) => writer.string(text))).toBe(Buffer.concat([size, bytes]).toString("hex"));
    }),
  ));

describe("pieces", () => {
  test("large byte values are passed on by reference, small ones are copied", () => {
    const large = Buffer.alloc(4096, 1);
    const small = Buffer.alloc(10, 2);
    const writer = new Writer();
    writer.byteString(small);
    writer.byteString(large);
    writer.int8(3);
    const pieces = writer.finish();
    expect(pieces).toHaveLength(3);
    expect(pieces[1]).toBe(large);
    small.fill(0);
    expect(pieces[0]?.[4]).toBe(2);
  });

  test("together are what was written, over any number of chunks", () =>
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 2000 })),
        fc.integer({ min: 1, max: 64 }),
        (values, chunkSize) => {
          const writer = new Writer(chunkSize);
          for (const value of values) writer.append(value);
          expect(writer.sizeBytes).toBe(values.reduce((sum, value) => sum + value.length, 0));
          expect(Buffer.compare(writer.toBytes(), Buffer.concat(values))).toBe(0);
        },
      ),
    ));

  test("a reserved length can be filled in after the chunk is full", () => {
    const writer = new Writer(8);
    const slot = writer.reserveInt32();
    for (let index = 0; index < 100; index++) writer.int32(index);
    writer.patchInt32(slot, writer.sizeBytes);
    expect(Buffer.from(writer.toBytes()).readInt32BE()).toBe(404);
  });
});
