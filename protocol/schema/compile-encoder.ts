/**
 * Turns a declaration into the source of an encoder for one version, and that into a function.
 *
 * A value that the version cannot express is refused, unless its field is ignorable, exactly as Kafka does: silence
 * would lose what the caller meant. The source is made of our own declarations only.
 */
import { ProtocolError } from "../bytes/protocol-error.ts";
import { Writer } from "../bytes/writer.ts";
import { defaultValue, isDefault, isNullByDefault } from "./defaults.ts";
import type { Field, Fields, PrimitiveType } from "./field.ts";
import { type Entry, isCompact, isNullable, layoutOf, type Version } from "./layout.ts";

/** Compiles an encoder; `name` shows up in stack traces, profiles and errors. */
export function compileEncoder(
  name: string,
  fields: Fields,
  version: Version,
): (writer: Writer, value: unknown) => void {
  const source = new EncoderSource(version);
  const root = source.addStructWriter(fields);
  const where = `${name} v${version.number}`;
  return source.link(root, where, `${name}.v${version.number}.encode`);
}

/** The functions of one encoder, and the fields whose defaults they need at run time. */
class EncoderSource {
  readonly #version: Version;
  readonly #functions: string[] = [];
  readonly #compared: Field<unknown, unknown>[] = [];

  constructor(version: Version) {
    this.#version = version;
  }

  link(root: string, where: string, sourceUrl: string): (writer: Writer, value: unknown) => void {
    const source = `"use strict";\n${this.#functions.join("\n")}\nreturn ${root};\n//# sourceURL=${sourceUrl}`;
    const compared = this.#compared;
    return new Function(
      "scope",
      `const { says, refuseNull, refuseAbsent, Writer, nothing } = scope;\n${source}`,
    )({
      Writer,
      nothing: { bytes: Buffer.alloc(0), array: [], struct: {} },
      /** Whether the value differs from the default of the compared field at `index`. */
      says: (index: number, value: unknown) => {
        const field = compared[index];
        return field !== undefined && !isDefault(field, value);
      },
      refuseNull: (field: string) => {
        throw new ProtocolError("unencodable", `Cannot encode ${where} "${field}": null is not allowed`);
      },
      refuseAbsent: (field: string) => {
        throw new ProtocolError(
          "unencodable",
          `Cannot encode ${where} "${field}": the version has no such field`,
        );
      },
    });
  }

  /** Adds a function that writes a struct and returns the function's name. */
  addStructWriter(fields: Fields): string {
    const layout = layoutOf(fields, this.#version);
    return this.#addFunction([
      ...layout.absent
        .filter(({ field }) => !field.traits.ignorable)
        .map((entry) => this.#absenceCheck(entry)),
      ...layout.inline.map(({ name, field }) => this.#fieldWriter(field, { name, writer: "writer" })),
      ...(this.#version.isFlexible ? this.#taggedFieldsWriter(layout.tagged) : []),
    ]);
  }

  #absenceCheck({ name, field }: Entry): string {
    return `  if (value.${name} !== undefined && ${this.#saysSource(field, name)}) refuseAbsent("${name}");`;
  }

  #taggedFieldsWriter(tagged: readonly (Entry & { readonly tag: number })[]): string[] {
    if (tagged.length === 0) return ["  writer.int8(0);"];
    const counts = tagged.map(({ name, field }) => {
      return `  const has_${name} = value.${name} !== undefined && ${this.#saysSource(field, name)};`;
    });
    const writes = tagged.flatMap(({ name, field, tag }) => [
      `  if (has_${name}) {`,
      "    const inner = new Writer(64);",
      this.#fieldWriter(field, { name, writer: "inner" }),
      `    writer.taggedField(${tag}, inner);`,
      "  }",
    ]);
    const count = tagged.map(({ name }) => `(has_${name} ? 1 : 0)`).join(" + ");
    return [...counts, `  writer.unsignedVarint(${count});`, ...writes];
  }

  /** Statements that write one named field, its default if it was left out. */
  #fieldWriter(field: Field<unknown, unknown>, { name, writer }: { name: string; writer: string }): string {
    const given = `value_${name}`;
    return [
      `  let ${given} = value.${name};`,
      `  if (${given} === undefined) ${given} = ${this.#leftOutSource(field)};`,
      `  ${this.#valueWriter(field, { name, writer, given })}`,
    ].join("\n");
  }

  /** A statement that writes the value in the variable `given`. */
  #valueWriter(
    field: Field<unknown, unknown>,
    { name, writer, given }: { name: string; writer: string; given: string },
  ): string {
    const { shape } = field;
    const nullable = isNullable(field, this.#version);
    const guard = nullable ? "" : `if (${given} === null) refuseNull("${name}"); `;
    switch (shape.kind) {
      case "primitive":
        return `${guard}${writer}.${this.#primitiveMethod(field, shape.type)}(${given});`;
      case "array":
        return `${guard}${this.#addArrayWriter(field, shape.of, name)}(${writer}, ${given});`;
      case "struct": {
        const write = `${this.addStructWriter(shape.fields)}(${writer}, ${given});`;
        if (!nullable) return `${guard}${write}`;
        return `if (${given} === null) ${writer}.int8(-1); else { ${writer}.int8(1); ${write} }`;
      }
      default:
        return shape satisfies never;
    }
  }

  #addArrayWriter(field: Field<unknown, unknown>, of: Field<unknown, unknown>, name: string): string {
    const compact = isCompact(field, this.#version);
    const writeNull = compact ? "writer.unsignedVarint(0);" : "writer.int32(-1);";
    return this.#addFunction([
      ...(isNullable(field, this.#version) ? [`  if (value === null) { ${writeNull} return; }`] : []),
      "  const length = value.length;",
      `  writer.${compact ? "compactArrayLength" : "arrayLength"}(length);`,
      "  for (let index = 0; index < length; index++) {",
      "    const element = value[index];",
      `    ${this.#valueWriter(of, { name: `${name}[]`, writer: "writer", given: "element" })}`,
      "  }",
    ]);
  }

  #primitiveMethod(field: Field<unknown, unknown>, type: PrimitiveType): keyof Writer {
    if (type !== "string" && type !== "bytes" && type !== "records") return type;
    const kinds = { string: "String", bytes: "Bytes", records: "Runs" } as const;
    const kind = kinds[type];
    const nullable = isNullable(field, this.#version);
    if (isCompact(field, this.#version)) return nullable ? `compactNullable${kind}` : `compact${kind}`;
    if (nullable) return `nullable${kind}`;
    return ({ string: "string", bytes: "byteString", records: "byteRuns" } as const)[type];
  }

  /** An expression for what a field that was left out is encoded as. */
  #leftOutSource(field: Field<unknown, unknown>): string {
    if (isNullByDefault(field)) return "null";
    const { shape } = field;
    if (shape.kind !== "primitive") return `nothing.${shape.kind}`;
    if (shape.type === "bytes" || shape.type === "records") return "nothing.bytes";
    return JSON.stringify(defaultValue(field));
  }

  /** An expression that is true when `value.name`, which is given, differs from the default. */
  #saysSource(field: Field<unknown, unknown>, name: string): string {
    const value = `value.${name}`;
    if (isNullByDefault(field)) return `${value} !== null`;
    const { shape } = field;
    if (shape.kind === "primitive" && shape.type !== "bytes" && shape.type !== "records") {
      return `${value} !== ${JSON.stringify(defaultValue(field))}`;
    }
    this.#compared.push(field);
    return `says(${this.#compared.length - 1}, ${value})`;
  }

  #addFunction(body: readonly string[]): string {
    const name = `write${this.#functions.length}`;
    this.#functions.push(`function ${name}(writer, value) {\n${body.join("\n")}\n}`);
    return name;
  }
}
