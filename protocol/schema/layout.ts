import type { Field, Fields, PrimitiveType } from "./field.ts";

/** One version of a message: which fields it has and how it writes lengths. */
export interface Version {
  readonly number: number;
  /** Flexible versions (KIP-482) use compact lengths and end every struct with tagged fields. */
  readonly isFlexible: boolean;
}

/** A struct's fields as one version has them. */
export interface Layout {
  readonly inline: readonly Entry[];
  /** In ascending order of tags, as the wire wants them. */
  readonly tagged: readonly (Entry & { readonly tag: number })[];
  readonly absent: readonly Entry[];
}

/** A named field. */
export interface Entry {
  readonly name: string;
  readonly field: Field<unknown, unknown>;
}

/** Sorts a struct's fields by where one version puts them. */
export function layoutOf(fields: Fields, version: Version): Layout {
  const entries = Object.entries(fields).map(([name, field]) => ({ name, field }));
  const present = entries.filter(({ field }) => isPresent(field, version));
  return {
    inline: present.filter(({ field }) => field.traits.tag === undefined),
    tagged: present
      .flatMap(({ name, field }) =>
        field.traits.tag === undefined ? [] : [{ name, field, tag: field.traits.tag }],
      )
      .sort((left, right) => left.tag - right.tag),
    absent: entries.filter(({ field }) => !isPresent(field, version)),
  };
}

/** Whether null is legal for the field in this version. */
export function isNullable({ traits }: Field<unknown, unknown>, version: Version): boolean {
  return traits.nullableSince <= version.number;
}

/** Whether the field's own length prefix is compact in this version. */
export function isCompact({ traits }: Field<unknown, unknown>, version: Version): boolean {
  return version.isFlexible && !traits.neverFlexible;
}

const fixedSizes: Readonly<Record<PrimitiveType, number | undefined>> = {
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  boolean: 1,
  uuid: 16,
  string: undefined,
  bytes: undefined,
  records: undefined,
};

/** The fewest bytes that a value can take: what a lying array length is held against. */
export function sizeMin(field: Field<unknown, unknown>, version: Version): number {
  const { shape } = field;
  if (shape.kind === "struct") return isNullable(field, version) ? 1 : structSizeMin(shape.fields, version);
  const fixed = shape.kind === "primitive" ? fixedSizes[shape.type] : undefined;
  if (fixed !== undefined) return fixed;
  if (isCompact(field, version)) return 1;
  return shape.kind === "primitive" && shape.type === "string" ? 2 : 4;
}

function structSizeMin(fields: Fields, version: Version): number {
  const tagsSize = version.isFlexible ? 1 : 0;
  return layoutOf(fields, version).inline.reduce((sum, { field }) => sum + sizeMin(field, version), tagsSize);
}

function isPresent({ traits }: Field<unknown, unknown>, version: Version): boolean {
  return traits.since <= version.number && version.number <= traits.until;
}
