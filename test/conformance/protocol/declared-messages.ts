import { readdirSync } from "node:fs";
import { apiByKey } from "#protocol/apis.ts";
import type { Reader } from "#protocol/bytes/reader.ts";
import type { Writer } from "#protocol/bytes/writer.ts";
import type { Fields } from "#protocol/schema/field.ts";

/** A request, a response or an internal record, whichever way it was declared. */
export interface DeclaredMessage {
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexibleFrom: number | "never";
  readonly fields: Fields;
  decode(reader: Reader, version: number): unknown;
  encode(writer: Writer, value: object, version: number): void;
}

/** Every message of `protocol/messages`, found in its folders and not in a list that could forget one. */
export async function declaredMessages(): Promise<DeclaredMessage[]> {
  const apis = [...apiByKey.values()].flatMap(({ request, response, versions, flexibleFrom }) =>
    [request, response].map((codec) => ({
      name: codec.name,
      fields: codec.fields,
      versions,
      flexibleFrom,
      decode: (reader: Reader, version: number) => codec.decode(reader, version),
      encode: (writer: Writer, value: object, version: number) => codec.encode(writer, { ...value }, version),
    })),
  );
  return [...apis, ...(await internalMessages())];
}

/** Every version of every message, as rows for `test.each`. */
export async function declaredVersions(): Promise<
  { name: string; version: number; message: DeclaredMessage }[]
> {
  return (await declaredMessages()).flatMap((message) => {
    const [min, max] = message.versions;
    const numbers = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    return numbers.map((version) => ({ name: message.name, version, message }));
  });
}

async function internalMessages(): Promise<DeclaredMessage[]> {
  const folder = new URL("../../../protocol/messages/internal/", import.meta.url);
  const modules = await Promise.all(readdirSync(folder).map((file) => import(new URL(file, folder).href)));
  return modules.flatMap((module) => Object.values(module).filter(isMessage));
}

function isMessage(value: unknown): value is DeclaredMessage {
  return typeof value === "object" && value !== null && "decode" in value && "fields" in value;
}
