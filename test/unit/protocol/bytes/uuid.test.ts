import { expect, test } from "vitest";
import { uuidFromBytes, writeUuid, zeroUuid } from "#protocol/bytes/uuid.ts";

test("prints sixteen bytes as Kafka does, and reads them back", () => {
  const bytes = Buffer.from("ffeeddccbbaa99887766554433221100", "hex");
  const uuid = uuidFromBytes(bytes);
  expect(uuid).toBe("_-7dzLuqmYh3ZlVEMyIRAA");
  const again = Buffer.alloc(16);
  writeUuid(again, 0, uuid);
  expect(again).toEqual(bytes);
});

test("the zero uuid is sixteen zero bytes, whatever was there before", () => {
  const bytes = Buffer.alloc(18, 7);
  writeUuid(bytes, 1, zeroUuid);
  expect([...bytes]).toEqual([7, ...new Array(16).fill(0), 7]);
  expect(uuidFromBytes(bytes.subarray(1, 17))).toBe(zeroUuid);
});

test("other lengths are refused", () => {
  expect(() => uuidFromBytes(Buffer.alloc(15))).toThrow("Cannot print uuid of 15 bytes");
});
