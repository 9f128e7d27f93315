import { ProtocolError } from "../bytes/protocol-error.ts";
import type { Reader } from "../bytes/reader.ts";
import type { Writer } from "../bytes/writer.ts";
import { compileDecoder } from "./compile-decoder.ts";
import { compileEncoder } from "./compile-encoder.ts";
import type { Fields } from "./field.ts";

/** The first and the last version of a message. */
export type VersionRange = readonly [min: number, max: number];

/** What a codec is made from. */
export interface CodecDeclaration {
  readonly name: string;
  readonly versions: VersionRange;
  /** The first version with compact lengths and tagged fields (KIP-482). */
  readonly flexibleFrom: number | "never";
  readonly fields: Fields;
}

/** Decodes and encodes one message in all its versions; each version is compiled at its first use. */
export class Codec<Decoded, Input> {
  readonly name: string;
  readonly fields: Fields;
  readonly #declaration: CodecDeclaration;
  readonly #decoders: ((reader: Reader) => unknown)[] = [];
  readonly #encoders: ((writer: Writer, value: unknown) => void)[] = [];

  constructor(declaration: CodecDeclaration) {
    this.name = declaration.name;
    this.fields = declaration.fields;
    this.#declaration = declaration;
  }

  /** Reads one message; bytes after it are the caller's to judge. Throws ProtocolError. */
  decode(reader: Reader, version: number): Decoded {
    const decode = this.#decoders[version] ?? this.#compileDecoder(version);
    return decode(reader) as Decoded;
  }

  /** Writes one message; throws ProtocolError for what the version cannot express, and then leaves a partial write. */
  encode(writer: Writer, value: Input, version: number): void {
    const encode = this.#encoders[version] ?? this.#compileEncoder(version);
    encode(writer, value);
  }

  #compileDecoder(version: number): (reader: Reader) => unknown {
    const decode = compileDecoder(this.name, this.fields, this.#version(version));
    this.#decoders[version] = decode;
    return decode;
  }

  #compileEncoder(version: number): (writer: Writer, value: unknown) => void {
    const encode = compileEncoder(this.name, this.fields, this.#version(version));
    this.#encoders[version] = encode;
    return encode;
  }

  #version(number: number): { number: number; isFlexible: boolean } {
    const [min, max] = this.#declaration.versions;
    if (!Number.isInteger(number) || number < min || number > max) {
      throw new ProtocolError(
        "unsupportedVersion",
        `Cannot use ${this.name} v${number}: versions are ${min} to ${max}`,
      );
    }
    return { number, isFlexible: isFlexible(this.#declaration, number) };
  }
}

/** Whether a version has compact lengths and tagged fields. */
export function isFlexible(
  { flexibleFrom }: Pick<CodecDeclaration, "flexibleFrom">,
  version: number,
): boolean {
  return flexibleFrom !== "never" && version >= flexibleFrom;
}
