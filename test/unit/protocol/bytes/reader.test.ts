import { describe, expect, test } from "vitest";
import { Reader } from "#protocol/bytes/reader.ts";
import { zeroUuid } from "#protocol/bytes/uuid.ts";

function over(hex: string): Reader {
  return new Reader(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

test("reads each primitive type at its edges", () => {
  const reader = over("80 8000 8000 80000000 80000000 ffe0000000000001 3ff8000000000000 02 00");
  expect(reader.int8()).toBe(-0x80);
  expect(reader.int16()).toBe(-0x8000);
  expect(reader.uint16()).toBe(0x8000);
  expect(reader.int32()).toBe(-0x8000_0000);
  expect(reader.uint32()).toBe(0x8000_0000);
  expect(reader.int64()).toBe(Number.MIN_SAFE_INTEGER);
  expect(reader.float64()).toBe(1.5);
  expect(reader.boolean()).toBe(true);
  expect(reader.boolean()).toBe(false);
  expect(reader.remainingBytes).toBe(0);
});

test("refuses an int64 that a number would round", () => {
  for (const hex of ["0020000000000000", "ffe0000000000000", "7fffffffffffffff", "8000000000000000"]) {
    expect(() => over(hex).int64()).toThrow(expect.objectContaining({ code: "outOfRange" }));
  }
});

test("reads strings in all four encodings", () => {
  expect(over("0003 c3a961").string()).toBe("éa");
  expect(over("ffff").nullableString()).toBeNull();
  expect(over("04 c3a961").compactString()).toBe("éa");
  expect(over("00").compactNullableString()).toBeNull();
  expect(over("01").compactNullableString()).toBe("");
});

test("null is refused where it is not allowed, and a length below null everywhere", () => {
  expect(() => over("ffff").string()).toThrow("not nullable here");
  expect(() => over("00").compactString()).toThrow("not nullable here");
  expect(() => over("ffffffff").byteString()).toThrow("not nullable here");
  expect(() => over("ffffffff").arrayLength(1)).toThrow("not nullable here");
  expect(() => over("fffe").nullableString()).toThrow("negative");
  expect(() => over("fffffffe").nullableBytes()).toThrow("negative");
  expect(() => over("fffffffe").nullableArrayLength(1)).toThrow("negative");
});

test("byte values are views of the input", () => {
  const input = Buffer.from("000000020102", "hex");
  const bytes = new Reader(input).byteString();
  input[4] = 9;
  expect([...bytes]).toEqual([9, 2]);
});

test("reads within a view of a larger buffer, and not beyond it", () => {
  const whole = new Uint8Array([9, 0, 0, 0, 5, 9]);
  const reader = new Reader(whole.subarray(1, 5));
  expect(reader.int32()).toBe(5);
  expect(() => reader.int8()).toThrow(expect.objectContaining({ code: "truncated" }));
});

test("a uuid reads as 22 characters, all zeros as the zero uuid", () => {
  expect(over("00".repeat(16)).uuid()).toBe(zeroUuid);
  expect(over("05".repeat(16)).uuid()).toBe("BQUFBQUFBQUFBQUFBQUFBQ");
});

describe("array lengths", () => {
  test("are held against the remaining bytes before anyone allocates", () => {
    expect(over("00000002 00000000 00000000").arrayLength(4)).toBe(2);
    expect(() => over("00000003 00000000 00000000").arrayLength(4)).toThrow("8 bytes left");
    expect(() => over("7fffffff 0000").arrayLength(1)).toThrow(
      expect.objectContaining({ code: "truncated" }),
    );
    expect(() => over("ffffffff0f 0000").compactArrayLength(1)).toThrow("Cannot read array");
  });

  test("add up to no more than the limit of one message", () => {
    const reader = new Reader(Buffer.from("00000002 00000002 0000".replaceAll(" ", ""), "hex"), {
      elementCountMax: 3,
    });
    expect(reader.arrayLength(1)).toBe(2);
    expect(() => reader.arrayLength(1)).toThrow("too many in one message");
  });

  test("are −1 for null", () => {
    expect(over("ffffffff").nullableArrayLength(8)).toBe(-1);
    expect(over("00").compactNullableArrayLength(8)).toBe(-1);
  });
});

describe("tagged fields", () => {
  test("that nobody knows are skipped", () => {
    const reader = over("02 05 03 aabbcc 8001 00 07");
    reader.skipTaggedFields();
    expect(reader.int8()).toBe(7);
  });

  test("that claim more bytes than there are, or an endless number of fields, are refused", () => {
    expect(() => over("01 05 04 aabbcc").skipTaggedFields()).toThrow("Cannot read 4 bytes");
    expect(() => over("ffffffff0f 0000").skipTaggedFields()).toThrow(
      expect.objectContaining({ code: "truncated" }),
    );
  });
});

test("left-over bytes are an error only for those who ask", () => {
  const reader = over("0102");
  reader.int8();
  expect(() => reader.expectEnd()).toThrow("1 bytes left over");
  reader.int8();
  reader.expectEnd();
});
