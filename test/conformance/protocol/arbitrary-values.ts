import * as fc from "fast-check";
import { defaultValue } from "#protocol/schema/defaults.ts";
import type { Field, Fields, PrimitiveType } from "#protocol/schema/field.ts";

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: "binary", maxLength: 40 }));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 1024, maxLength: 1100 }));

const primitives: Record<PrimitiveType, fc.Arbitrary<unknown>> = {
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: fc.oneof(fc.integer(), fc.maxSafeInteger()),
  float64: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  string: text,
  bytes: bytes.map((value) => Buffer.from(value)),
  records: bytes.map((value) => Buffer.from(value)),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((value) => Buffer.from(value).toString("base64url")),
};

/** Any value of a struct that a version can carry; fields that it lacks hold their defaults, as after decoding. */
export function arbitraryStruct(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, arbitraryField(field, version)])),
    { noNullPrototype: true },
  );
}

function arbitraryField(field: Field<unknown, unknown>, version: number): fc.Arbitrary<unknown> {
  const { since, until, nullableSince } = field.traits;
  if (version < since || version > until) return fc.constant(null).map(() => defaultValue(field));
  const value = arbitraryValue(field, version);
  const withDefault = fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: fc.constant(null).map(() => encodableDefault(field, version)) },
  );
  return nullableSince <= version ? fc.option(withDefault, { freq: 5 }) : withDefault;
}

/** A field may be null by default in versions where null is not legal: then it has to be given. */
function encodableDefault(field: Field<unknown, unknown>, version: number): unknown {
  const value = defaultValue(field);
  if (value !== null || field.traits.nullableSince <= version) return value;
  return field.shape.kind === "array" ? [] : "";
}

function arbitraryValue(field: Field<unknown, unknown>, version: number): fc.Arbitrary<unknown> {
  const { shape } = field;
  if (shape.kind === "primitive") return primitives[shape.type];
  if (shape.kind === "array") return fc.array(arbitraryField(shape.of, version), { maxLength: 3 });
  return arbitraryStruct(shape.fields, version);
}
