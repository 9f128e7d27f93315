/**
 * What "left out" means for a field.
 *
 * | field                              | default                                   |
 * |------------------------------------|-------------------------------------------|
 * | declared with `.default(x)`        | x                                         |
 * | nullable from its first version on | null                                      |
 * | records, nullable or not           | an empty set: an absent set is never null |
 * | anything else                      | 0, "", [], false, or a struct of defaults |
 */
import { zeroUuid } from "../bytes/uuid.ts";
import type { Field, Fields } from "./field.ts";

const emptyBytes: Uint8Array = Buffer.alloc(0);

/** The decoded value of a field that a version lacks; arrays and structs are new at every call. */
export function defaultValue(field: Field<unknown, unknown>): unknown {
  if (isNullByDefault(field)) return null;
  const { shape, traits } = field;
  if (shape.kind === "array") return [];
  if (shape.kind === "struct") return defaultStruct(shape.fields);
  if (traits.default !== undefined) return traits.default;
  switch (shape.type) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "uuid":
      return zeroUuid;
    case "bytes":
    case "records":
      return emptyBytes;
    default:
      return 0;
  }
}

/** Whether a value to encode says nothing that leaving it out would not say. */
export function isDefault(field: Field<unknown, unknown>, value: unknown): boolean {
  if (value === undefined) return true;
  if (value === null || isNullByDefault(field)) return value === null && isNullByDefault(field);
  const { shape } = field;
  if (shape.kind === "array") return Array.isArray(value) && value.length === 0;
  if (shape.kind === "struct") {
    return Object.entries(shape.fields).every(([name, inner]) =>
      isDefault(inner, Reflect.get(Object(value), name)),
    );
  }
  if (value instanceof Uint8Array) return value.length === 0;
  return value === defaultValue(field);
}

/** Whether the field's default is null. */
export function isNullByDefault({ shape, traits }: Field<unknown, unknown>): boolean {
  if (traits.default !== undefined) return traits.default === null;
  if (shape.kind === "primitive" && shape.type === "records") return false;
  return traits.nullableSince <= traits.since;
}

function defaultStruct(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultValue(field)]));
}
