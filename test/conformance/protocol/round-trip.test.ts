import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reader } from "#protocol/bytes/reader.ts";
import { Writer } from "#protocol/bytes/writer.ts";
import { defaultValue } from "#protocol/schema/defaults.ts";
import { arbitraryStruct } from "./arbitrary-values.ts";
import { type DeclaredMessage, declaredVersions } from "./declared-messages.ts";

const runs = 12;

describe.each(await declaredVersions())("$name v$version", ({ message, version }) => {
  test("decodes to what was encoded and leaves no byte over", () =>
    fc.assert(
      fc.property(arbitraryStruct(message.fields, version), (value) => {
        const bytes = encode(message, value, version);
        const reader = new Reader(bytes);
        expect(message.decode(reader, version)).toEqual(value);
        reader.expectEnd();
      }),
      { numRuns: runs },
    ));

  test("decodes what was left out to its defaults", () => {
    const decoded = message.decode(new Reader(encode(message, {}, version)), version);
    const defaults = Object.entries(message.fields).map(([name, field]) => [name, defaultValue(field)]);
    expect(decoded).toEqual(Object.fromEntries(defaults));
  });
});

function encode(message: DeclaredMessage, value: object, version: number): Uint8Array {
  const writer = new Writer();
  message.encode(writer, value, version);
  const bytes = writer.toBytes();
  expect(writer.sizeBytes).toBe(bytes.length);
  return bytes;
}
