import { ProtocolError } from "../bytes/protocol-error.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { Codec, isFlexible, type VersionRange } from "./codec.ts";
import type { DecodedStruct, Fields, InputStruct } from "./field.ts";

/** A data type that is not an API: a header, a record of an internal topic, a part of the consumer protocol. */
export interface MessageDeclaration<F extends Fields> {
  /** Kafka's name. */
  readonly name: string;
  /** The number that a coordinator's key starts with; its value has the same, though not on the wire. */
  readonly recordType?: number;
  readonly versions: VersionRange;
  readonly flexibleFrom: number | "never";
  /** Whether versions beyond the last one only append, so that they can be read as the last one. */
  readonly readsNewer?: boolean;
  readonly fields: F;
}

/** A declared data type with its compiled codec. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  readonly recordType: number | undefined;
  readonly versions: VersionRange;
  readonly flexibleFrom: number | "never";
  readonly readsNewer: boolean;
  readonly fields: F;
  isFlexible(version: number): boolean;
  decode(reader: Reader, version: number): DecodedStruct<F>;
  encode(writer: Writer, value: InputStruct<F>, version: number): void;
}

/** Declares a data type. */
export function message<const F extends Fields>(declaration: MessageDeclaration<F>): Message<F> {
  const { recordType, readsNewer = false } = declaration;
  const codec = new Codec<DecodedStruct<F>, InputStruct<F>>(declaration);
  return {
    ...declaration,
    recordType,
    readsNewer,
    isFlexible: (version) => isFlexible(declaration, version),
    decode: (reader, version) => codec.decode(reader, version),
    encode: (writer, value, version) => codec.encode(writer, value, version),
  };
}

/** A data type's value as decoded: every field present. */
export type MessageOf<M extends { decode(reader: Reader, version: number): unknown }> = ReturnType<
  M["decode"]
>;

/** A data type's value to encode: fields left out take their defaults. */
export type MessageInput<M extends { encode(writer: Writer, value: never, version: number): void }> =
  Parameters<M["encode"]>[1];

/** Encodes a value behind its version as int16: record values, consumer protocol, end-of-transaction markers. */
export function encodeVersioned<F extends Fields>(
  { versions: [, newest], ...message }: Message<F>,
  value: InputStruct<F>,
  version: number = newest,
): Uint8Array {
  const writer = new Writer();
  writer.int16(version);
  message.encode(writer, value, version);
  return writer.toBytes();
}

/** Decodes what `encodeVersioned` wrote; byte fields are views. Throws ProtocolError for an unknown version. */
export function decodeVersioned<F extends Fields>(message: Message<F>, bytes: Uint8Array): DecodedStruct<F> {
  const reader = new Reader(bytes);
  const version = reader.int16();
  const [, newest] = message.versions;
  return message.decode(reader, message.readsNewer ? Math.min(version, newest) : version);
}

/** Encodes a coordinator's key behind its record type as int16. */
export function encodeKey<F extends Fields>(message: Message<F>, key: InputStruct<F>): Uint8Array {
  const writer = new Writer();
  writer.int16(recordTypeOf(message));
  message.encode(writer, key, 0);
  return writer.toBytes();
}

/** Decodes what `encodeKey` wrote; throws ProtocolError for a key of another record type. */
export function decodeKey<F extends Fields>(message: Message<F>, bytes: Uint8Array): DecodedStruct<F> {
  const reader = new Reader(bytes);
  const recordType = reader.int16();
  if (recordType !== recordTypeOf(message)) {
    throw new ProtocolError("malformed", `Cannot read ${message.name}: record type is ${recordType}`);
  }
  return message.decode(reader, 0);
}

/** The record type that a coordinator's key starts with: what decides how to decode it. */
export function readRecordType(key: Uint8Array): number {
  return new Reader(key).int16();
}

function recordTypeOf({ name, recordType }: Message): number {
  if (recordType === undefined)
    throw new ProtocolError("unencodable", `Cannot use ${name} as a key: no record type`);
  return recordType;
}
