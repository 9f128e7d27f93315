import type { ConsumedRecord } from "./client/partition-reader.ts";
import { unescapeText } from "./escapes.ts";
import { UsageError } from "./failure.ts";
import { formatTime } from "./quantities.ts";

/** Writes one record for a reader; bytes stay as they are. */
export type RecordFormat = (record: ConsumedRecord) => Uint8Array;

type Part = string | ((record: ConsumedRecord) => string | Uint8Array | null);

const fields: ReadonlyMap<string, Part> = new Map<string, Part>([
  ["t", ({ topic }) => topic],
  ["p", ({ partition }) => String(partition)],
  ["o", ({ offset }) => String(offset)],
  ["T", ({ timestampMs }) => String(timestampMs)],
  ["D", ({ timestampMs }) => formatTime(timestampMs)],
  ["k", ({ key }) => key],
  ["s", ({ value }) => value],
  ["K", ({ key }) => String(key?.length ?? -1)],
  ["S", ({ value }) => String(value?.length ?? -1)],
  [
    "h",
    ({ headers }) =>
      headers.map(({ key, value }) => `${key}=${value === null ? "" : Buffer.from(value)}`).join(","),
  ],
  ["%", "%"],
]);

/** Compiles `%k=%s\n`. @throws UsageError for a field that does not exist */
export function compileFormat(text: string): RecordFormat {
  const parts: Part[] = [];
  // Escapes first in what is literal only: a field's bytes are never touched.
  for (const [piece] of text.matchAll(/%.?|[^%]+/gs)) {
    if (!piece.startsWith("%")) {
      parts.push(unescapeText("--format", piece));
      continue;
    }
    const field = fields.get(piece.slice(1));
    if (field === undefined) {
      throw new UsageError(
        `Cannot use --format "${text}": "${piece}" is none of ${[...fields.keys()].map((key) => `%${key}`).join(" ")}`,
      );
    }
    parts.push(field);
  }
  return (record) =>
    Buffer.concat(
      parts.map((part) => {
        const piece = typeof part === "string" ? part : part(record);
        return typeof piece === "string" ? Buffer.from(piece) : (piece ?? Buffer.alloc(0));
      }),
    );
}
