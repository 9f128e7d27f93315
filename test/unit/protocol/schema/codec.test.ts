import { describe, expect, test } from "vitest";
import { Reader } from "#protocol/bytes/reader.ts";
import { Writer } from "#protocol/bytes/writer.ts";
import { Codec } from "#protocol/schema/codec.ts";
import type { DecodedStruct, Fields, InputStruct } from "#protocol/schema/field.ts";
import { t } from "#protocol/schema/field.ts";

function codecOf<const F extends Fields>(fields: F): Codec<DecodedStruct<F>, InputStruct<F>> {
  return new Codec({ name: "Sample", versions: [1, 4], flexibleFrom: 3, fields });
}

function encode<I>(codec: Codec<unknown, I>, value: I, version: number): string {
  const writer = new Writer();
  codec.encode(writer, value, version);
  return Buffer.from(writer.toBytes()).toString("hex");
}

function decode<D>(codec: Codec<D, never>, hex: string, version: number): D {
  return codec.decode(new Reader(Buffer.from(hex.replaceAll(" ", ""), "hex")), version);
}

const sample = codecOf({
  id: t.int16,
  name: t.string.nullable(2),
  epoch: t.int32.since(2).default(-1),
  rack: t.string.nullable().since(2).ignorable(),
  owner: t.struct({ nodeId: t.int32.default(-1) }).tagged(0, 3),
  notes: t.array(t.string).tagged(1, 4),
});

describe("versions", () => {
  test("outside the range are refused both ways", () => {
    for (const version of [0, 5, -1, 1.5]) {
      expect(() => encode(sample, {}, version)).toThrow(
        expect.objectContaining({ code: "unsupportedVersion" }),
      );
      expect(() => decode(sample, "00", version)).toThrow(
        `Cannot use Sample v${version}: versions are 1 to 4`,
      );
    }
  });

  test("that lack a field decode it to its default", () => {
    expect(decode(sample, "0007 000161", 1)).toEqual({
      id: 7,
      name: "a",
      epoch: -1,
      rack: null,
      owner: { nodeId: -1 },
      notes: [],
    });
  });

  test("that lack a field refuse to encode a value for it, unless that is ignorable", () => {
    const value = { id: 7, name: "a" };
    expect(encode(sample, { ...value, rack: "r" }, 1)).toBe("0007000161");
    expect(encode(sample, { ...value, epoch: -1, owner: { nodeId: -1 }, notes: [] }, 1)).toBe("0007000161");
    const refused = [{ epoch: 0 }, { owner: { nodeId: 4 } }, { notes: ["n"] }];
    for (const extra of refused) {
      const field = Object.keys(extra)[0];
      expect(() => encode(sample, { ...value, ...extra }, 1)).toThrow(
        `Cannot encode Sample v1 "${field}": the version has no such field`,
      );
    }
  });

  test("allow null from the version on that says so", () => {
    expect(encode(sample, { id: 7, name: null }, 2)).toBe("0007ffffffffffffffff");
    expect(() => encode(sample, { id: 7, name: null }, 1)).toThrow('"name": null is not allowed');
    expect(() => decode(sample, "0007 ffff", 1)).toThrow("not nullable here");
  });
});

describe("tagged fields", () => {
  test("are written only when they say something, in the order of their tags", () => {
    expect(encode(sample, { id: 7, name: "a" }, 4)).toBe("00070261ffffffff0000");
    const value = { id: 7, name: "a", owner: { nodeId: 4 }, notes: ["n"] };
    expect(encode(sample, value, 4)).toBe(
      "00070261ffffffff00" + "02" + "000500000004" + "00" + "0103" + "02026e",
    );
  });

  test("are read in any order, and unknown ones are skipped", () => {
    const decoded = decode(sample, "0007 0261 ffffffff 00 03 01 03 02026e 63 02 abcd 00 05 00000004 00", 4);
    expect(decoded.owner).toEqual({ nodeId: 4 });
    expect(decoded.notes).toEqual(["n"]);
  });

  test("that are longer than what they hold are refused", () => {
    expect(() => decode(sample, "0007 0261 ffffffff 00 01 00 06 00000004 00 00", 4)).toThrow(
      "Cannot read tagged field",
    );
  });

  test("of a later version are unknown to an earlier one", () => {
    expect(decode(sample, "0007 0261 ffffffff 00 01 01 03 02026e", 3).notes).toEqual([]);
  });
});

describe("structs and arrays", () => {
  const nested = codecOf({
    groups: t.array({ name: t.string, members: t.array(t.int32).nullable() }),
    leader: t.struct({ host: t.string, port: t.int32.since(2) }).nullable(),
  });

  test("nest, and null is told from empty", () => {
    const value = {
      groups: [
        { name: "a", members: [1] },
        { name: "b", members: [] },
        { name: "c", members: null },
      ],
      leader: { host: "h", port: 9 },
    };
    for (const version of [2, 3])
      expect(decode(nested, encode(nested, value, version), version)).toEqual(value);
    expect(encode(nested, { leader: null }, 2)).toBe("00000000ff");
    expect(encode(nested, { leader: { host: "h" } }, 1)).toBe("0000000001000168");
  });

  test("a count that cannot fit into the frame is refused before the array exists", () => {
    // Each group takes at least six bytes: a name's length and a member count.
    expect(() => decode(nested, `00000002 ${"00".repeat(11)}`, 1)).toThrow("Cannot read array of 2 elements");
    expect(() => decode(nested, "7fffffff", 1)).toThrow(expect.objectContaining({ code: "truncated" }));
  });

  test("null elements are refused with the field's name", () => {
    const names = codecOf({ names: t.array(t.string) });
    const broken = { names: [null] } as unknown as { names: string[] };
    expect(() => encode(names, broken, 1)).toThrow('Cannot encode Sample v1 "names[]": null is not allowed');
  });
});

test("a field that is never flexible keeps its old form among compact ones", () => {
  const header = codecOf({ clientId: t.string.nullable().neverFlexible(), rack: t.string });
  expect(encode(header, { clientId: "a", rack: "b" }, 4)).toBe("000161026200");
  expect(decode(header, "ffff 0262 00", 4)).toEqual({ clientId: null, rack: "b" });
});

test("records left out are an empty set even where null is legal", () => {
  const fetched = codecOf({ records: t.records.nullable() });
  expect(encode(fetched, {}, 1)).toBe("00000000");
  expect(encode(fetched, { records: null }, 1)).toBe("ffffffff");
});

test("records in several pieces become one value, in every encoding and without being copied", () => {
  const pieces = [Buffer.alloc(2000, 1), Buffer.alloc(3, 2), Buffer.alloc(1024, 3)];
  const sample = codecOf({ records: t.records.nullable(), others: t.records });
  for (const version of [1, 3]) {
    const writer = new Writer();
    sample.encode(writer, { records: pieces, others: pieces }, version);
    const written = writer.finish();
    expect(written.filter((piece) => pieces.some((each) => each === piece))).toHaveLength(4);
    const decoded = sample.decode(new Reader(Buffer.concat(written)), version);
    expect(decoded).toEqual({ records: Buffer.concat(pieces), others: Buffer.concat(pieces) });
  }
});

test("decoded defaults are not shared between messages", () => {
  const first = decode(sample, "0007 000161", 1);
  const second = decode(sample, "0007 000161", 1);
  expect(first.notes).not.toBe(second.notes);
  expect(first.owner).not.toBe(second.owner);
});
