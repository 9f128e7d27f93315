import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Cursor,
  readUnsignedVarint,
  readVarint,
  readVarlong,
  unsignedVarintSizeBytes,
  varintSizeBytes,
  varlongSizeBytes,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from "#protocol/bytes/varint.ts";

type Kind = {
  read: (cursor: Cursor) => number;
  write: (bytes: Uint8Array, position: number, value: number) => number;
  sizeBytes: (value: number) => number;
  values: fc.Arbitrary<number>;
};

const kinds: Record<string, Kind> = {
  unsigned: {
    read: readUnsignedVarint,
    write: writeUnsignedVarint,
    sizeBytes: unsignedVarintSizeBytes,
    values: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff })),
  },
  int32: {
    read: readVarint,
    write: writeVarint,
    sizeBytes: varintSizeBytes,
    values: fc.oneof(fc.integer({ min: -200, max: 200 }), fc.integer()),
  },
  int64: {
    read: readVarlong,
    write: writeVarlong,
    sizeBytes: varlongSizeBytes,
    values: fc.oneof(fc.integer({ min: -200, max: 200 }), fc.integer(), fc.maxSafeInteger()),
  },
};

/** The zigzag encoding by its definition, over bigint: slow and obviously right. */
function zigzagBytes(value: number): number[] {
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function cursorOver(bytes: ArrayLike<number>): Cursor {
  return { bytes: Uint8Array.from(bytes), position: 0, end: bytes.length };
}

describe.each(Object.entries(kinds))("%s varint", (name, kind) => {
  test("reads back what it writes, in exactly the announced size", () =>
    fc.assert(
      fc.property(kind.values, (value) => {
        const bytes = new Uint8Array(12);
        const end = kind.write(bytes, 1, value);
        expect(end - 1).toBe(kind.sizeBytes(value));

        const cursor = { bytes, position: 1, end };
        expect(kind.read(cursor)).toBe(value);
        expect(cursor.position).toBe(end);
      }),
    ));

  test("refuses every truncation and leaves the cursor where it was", () => {
    const bytes = new Uint8Array(12);
    const size = kind.write(bytes, 0, name === "int64" ? Number.MAX_SAFE_INTEGER : 0x7fff_ffff);
    for (let end = 0; end < size; end++) {
      const cursor = { bytes, position: 0, end };
      expect(() => kind.read(cursor)).toThrow(expect.objectContaining({ code: "truncated" }));
      expect(cursor.position).toBe(0);
    }
  });

  test("refuses an endless run of continuation bytes", () => {
    expect(() => kind.read(cursorOver(new Uint8Array(20).fill(0xff)))).toThrow("Cannot read var");
  });
});

test("the zigzag writers agree with the definition at the edges", () => {
  const edges = [0, -1, 1, 63, -64, 64, -65, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 34, -(2 ** 34) - 1];
  for (const value of [...edges, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    const bytes = new Uint8Array(10);
    expect([...bytes.subarray(0, writeVarlong(bytes, 0, value))]).toEqual(zigzagBytes(value));
    if (value === (value | 0)) {
      expect([...bytes.subarray(0, writeVarint(bytes, 0, value))]).toEqual(zigzagBytes(value));
    }
  }
});

test("a padded encoding is legal", () => {
  expect(readUnsignedVarint(cursorOver([0x81, 0x80, 0x80, 0x80, 0x00]))).toBe(1);
  expect(readVarlong(cursorOver([0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]))).toBe(1);
});

test("a varint of more than 32 bits and a varlong beyond 2^53 are refused", () => {
  expect(() => readUnsignedVarint(cursorOver([0xff, 0xff, 0xff, 0xff, 0x1f]))).toThrow("more than 32 bits");
  const huge = [...zigzagBytes(Number.MAX_SAFE_INTEGER)];
  huge[7] = (huge[7] ?? 0) + 1;
  expect(() => readVarlong(cursorOver(huge))).toThrow("not a safe integer");
});
