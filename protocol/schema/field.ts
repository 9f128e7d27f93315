import type { ByteRuns } from "../bytes/writer.ts";
import type { ErrorCode } from "../error-codes.ts";

/** The wire types that are one value each. */
export type PrimitiveType =
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "float64"
  | "boolean"
  | "string"
  | "bytes"
  | "records"
  | "uuid";

/** What a field holds: one value, many, or a struct of further fields. */
export type Shape =
  | { readonly kind: "primitive"; readonly type: PrimitiveType }
  | { readonly kind: "array"; readonly of: Field<unknown, unknown> }
  | { readonly kind: "struct"; readonly fields: Fields };

/** A declaration's fields by name, in wire order. */
export type Fields = { readonly [name: string]: Field<unknown, unknown> };

/** Everything about a field but its type; versions are those of the message, both ends inclusive. */
export interface Traits {
  readonly since: number;
  readonly until: number;
  /** The first version in which null is legal; infinite where it never is. */
  readonly nullableSince: number;
  /** The tag under which a flexible version may carry the field (KIP-482). */
  readonly tag: number | undefined;
  readonly default: DefaultValue;
  /** Whether a value is dropped silently by versions that lack the field; otherwise encoding it fails. */
  readonly ignorable: boolean;
  /** Keeps the old encoding even in flexible versions: the request header's client id. */
  readonly neverFlexible: boolean;
}

/** A default as declared; `undefined` leaves it to the type: 0, "", [], false, or a struct of defaults. */
export type DefaultValue = number | string | boolean | null | undefined;

const plain: Traits = {
  since: 0,
  until: Number.POSITIVE_INFINITY,
  nullableSince: Number.POSITIVE_INFINITY,
  tag: undefined,
  default: undefined,
  ignorable: false,
  neverFlexible: false,
};

/** One field of a message: `Decoded` is what decoding yields, `Input` what encoding takes. Immutable. */
export class Field<Decoded, Input = Decoded> {
  declare readonly decoded: Decoded;
  declare readonly input: Input;
  readonly shape: Shape;
  readonly traits: Traits;

  constructor(shape: Shape, traits: Traits = plain) {
    this.shape = shape;
    this.traits = traits;
  }

  /** Present from this version on. */
  since(version: number): Field<Decoded, Input> {
    return this.#with({ since: version });
  }

  /** Present up to and including this version. */
  until(version: number): Field<Decoded, Input> {
    return this.#with({ until: version });
  }

  /** May be null, in all its versions or from this one on. */
  nullable(since = 0): Field<Decoded | null, Input | null> {
    return new Field(this.shape, { ...this.traits, nullableSince: since });
  }

  /** Travels in the tagged section, present from `since` on; absent there means default. */
  tagged(tag: number, since = 0): Field<Decoded, Input> {
    return this.#with({ tag, since });
  }

  /** The value that stands for "left out", where it is not the type's own (0, "", [], false). */
  default(value: Decoded & DefaultValue): Field<Decoded, Input> {
    return this.#with({ default: value });
  }

  /** Silently dropped by versions that lack it. */
  ignorable(): Field<Decoded, Input> {
    return this.#with({ ignorable: true });
  }

  /** Encoded the old way even in flexible versions. */
  neverFlexible(): Field<Decoded, Input> {
    return this.#with({ neverFlexible: true });
  }

  #with(traits: Partial<Traits>): Field<Decoded, Input> {
    return new Field(this.shape, { ...this.traits, ...traits });
  }
}

/** A struct as decoded: every field is present, those that the version lacks with their defaults. */
export type DecodedStruct<F extends Fields> = { readonly [K in keyof F]: F[K]["decoded"] };

/** A struct to encode: what is left out goes out as its default. */
export type InputStruct<F extends Fields> = { readonly [K in keyof F]?: F[K]["input"] };

/**
 * Kafka's largest int64 as the nearest number: a default that says "not supported" (KIP-1166).
 *
 * Good only to stand for "left out"; encoding it is refused like every unsafe integer.
 */
export const maxInt64: number = 2 ** 63;

/** The field types that declarations are made of. */
export const t = {
  int8: primitive<number>("int8"),
  int16: primitive<number>("int16"),
  uint16: primitive<number>("uint16"),
  int32: primitive<number>("int32"),
  uint32: primitive<number>("uint32"),
  /** A safe integer: decoding refuses what lies beyond 2^53 − 1. */
  int64: primitive<number>("int64"),
  float64: primitive<number>("float64"),
  boolean: primitive<boolean>("boolean"),
  string: primitive<string>("string"),
  /** A view of the decoded bytes, never a copy. */
  bytes: primitive<Uint8Array>("bytes"),
  /**
   * Record batches, opaque here: decoded to a view of the bytes, encoded from one piece or several.
   *
   * Left out, it is an empty set, never null.
   */
  records: new Field<Uint8Array, ByteRuns>({ kind: "primitive", type: "records" }),
  /** 22 characters of base64url. */
  uuid: primitive<string>("uuid"),
  errorCode: primitive<ErrorCode>("int16"),
  array,
  struct,
} as const;

function primitive<T>(type: PrimitiveType): Field<T> {
  return new Field<T>({ kind: "primitive", type });
}

/** An array of a field type, or of structs with these fields. */
function array<D, I>(of: Field<D, I>): Field<readonly D[], readonly I[]>;
function array<F extends Fields>(fields: F): Field<readonly DecodedStruct<F>[], readonly InputStruct<F>[]>;
function array(of: Field<unknown, unknown> | Fields): Field<readonly unknown[], readonly unknown[]> {
  return new Field({ kind: "array", of: of instanceof Field ? of : struct(of) });
}

function struct<F extends Fields>(fields: F): Field<DecodedStruct<F>, InputStruct<F>> {
  return new Field({ kind: "struct", fields });
}
