import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { Reader } from "#protocol/bytes/reader.ts";
import { Writer } from "#protocol/bytes/writer.ts";
import { decodeRequestHeader } from "#protocol/frame.ts";
import { arbitraryStruct } from "./arbitrary-values.ts";
import { type DeclaredMessage, declaredVersions } from "./declared-messages.ts";

const runs = 12;

/** Overwrites, cuts out or inserts bytes somewhere; lengths, counts and tags are hit as often as values. */
interface Mutation {
  at: number;
  remove: number;
  insert: Uint8Array;
}

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(6),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(
        Uint8Array.of(0x7f, 0xff, 0xff, 0xff), // The largest length.
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), // The largest compact length.
        Uint8Array.of(0xff, 0xff, 0xff, 0xfe), // A length below null.
        Uint8Array.of(0x00, 0x0f, 0xff, 0xff), // A million elements.
      ),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

describe.each(await declaredVersions())("$name v$version", ({ message, version }) => {
  test("damaged bytes decode to a bounded value or a ProtocolError", () =>
    fc.assert(
      fc.property(arbitraryStruct(message.fields, version), mutations, (value, changes) => {
        const writer = new Writer();
        message.encode(writer, value, version);
        expectHarmless(message, version, changes.reduce(mutate, writer.toBytes()));
      }),
      { numRuns: runs },
    ));

  test("random bytes decode to a bounded value or a ProtocolError", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectHarmless(message, version, bytes)),
      { numRuns: runs },
    ));

  test("every truncation is refused", () =>
    fc.assert(
      fc.property(
        arbitraryStruct(message.fields, version),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (value, share) => {
          const writer = new Writer();
          message.encode(writer, value, version);
          const bytes = writer.toBytes();
          const cut = bytes.subarray(0, Math.floor(share * bytes.length));
          if (cut.length === bytes.length) return;
          expect(() => message.decode(new Reader(cut), version)).toThrow(ProtocolError);
        },
      ),
      { numRuns: runs },
    ));
});

test("random bytes as a request header are read or refused", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      orProtocolError(() => decodeRequestHeader(new Reader(bytes)));
    }),
  ));

function expectHarmless(message: DeclaredMessage, version: number, bytes: Uint8Array): void {
  const decoded = orProtocolError(() => message.decode(new Reader(bytes), version));
  // Every array element took at least one byte, so no length that lies can make more of them than there are bytes.
  expect(elementCount(decoded)).toBeLessThanOrEqual(bytes.length);
}

function orProtocolError(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return undefined;
  }
}

function mutate(bytes: Uint8Array, { at, remove, insert }: Mutation): Uint8Array {
  const start = Math.floor(at * bytes.length);
  return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
}

function elementCount(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 0;
  const inner = Object.values(value).reduce((sum: number, each) => sum + elementCount(each), 0);
  return Array.isArray(value) ? inner + value.length : inner;
}
