import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, crc32cImplementation } from "#protocol/bytes/crc32c.ts";
import { crc32cByTable } from "#protocol/bytes/crc32c-table.ts";

/** RFC 3720, appendix B.4, and the check value of every CRC catalogue. */
const published = [
  { name: "the digits 1 to 9", bytes: Buffer.from("123456789"), crc: 0xe3069283 },
  { name: "32 bytes of zeros", bytes: Buffer.alloc(32), crc: 0x8a9136aa },
  { name: "32 bytes of ones", bytes: Buffer.alloc(32, 0xff), crc: 0x62a8ab43 },
  {
    name: "32 ascending bytes",
    bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => i)),
    crc: 0x46dd794e,
  },
  { name: "nothing", bytes: Buffer.alloc(0), crc: 0 },
];

describe.each([
  { name: `the ${crc32cImplementation} implementation`, checksum: crc32c },
  { name: "the table", checksum: crc32cByTable },
])("$name", ({ checksum }) => {
  test.each(published)("gives the published checksum of $name", ({ bytes, crc }) => {
    expect(checksum(bytes)).toBe(crc);
  });

  test("continues from the checksum of the part before", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), (bytes, cut) => {
        const parts = checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut)));
        expect(parts).toBe(checksum(bytes));
      }),
    );
  });
});

test("both implementations agree on any bytes, alignment and seed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(9), fc.nat(0xffff_ffff), (bytes, skip, seed) => {
      const view = bytes.subarray(skip);
      expect(crc32c(view, seed)).toBe(crc32cByTable(view, seed));
    }),
  );
});

test("a supported platform has the native implementation", () => {
  expect(crc32cImplementation).toBe("native");
});
