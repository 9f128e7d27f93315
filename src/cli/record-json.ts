import type { RecordInput } from "#protocol/records/batch-builder.ts";
import type { RecordHeader } from "#protocol/records/record.ts";
import type { ConsumedRecord } from "./client/partition-reader.ts";

/*
 * A record as one line of JSON, which consume prints and produce takes:
 *
 *   {"topic": "t", "partition": 0, "offset": 7, "timestamp": 1700000000000, "key": "k", "value": "v", "headers": {"h": "x"}}
 *
 * Bytes are a string where they are UTF-8, else {"base64": "..."}. Headers whose names repeat are a list of pairs.
 */

/** A record to be written, and where to. */
export interface RecordLine extends RecordInput {
  readonly partition: number | undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One line, without its end. */
export function recordToJson(record: ConsumedRecord): string {
  const { topic, partition, offset, timestampMs, key, value, headers } = record;
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp: timestampMs,
    key: bytesToJson(key),
    value: bytesToJson(value),
    headers: headersToJson(headers),
  });
}

/** Reads what `recordToJson` writes; what is missing has its default. @throws Error that says what is wrong */
export function recordFromJson(line: string, nowMs: number): RecordLine {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new Error("it is no object");
  const fields = new Map<string, unknown>(Object.entries(parsed));
  return {
    key: bytesFromJson("key", fields.get("key")),
    value: bytesFromJson("value", fields.get("value")),
    headers: headersFromJson(fields.get("headers")),
    timestampMs: integerFromJson("timestamp", fields.get("timestamp")) ?? nowMs,
    partition: integerFromJson("partition", fields.get("partition")),
  };
}

function bytesToJson(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  try {
    return decoder.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64") };
  }
}

function headersToJson(headers: readonly RecordHeader[]): unknown {
  const pairs = headers.map(({ key, value }) => [key, bytesToJson(value)] as const);
  const areUnique = new Set(headers.map(({ key }) => key)).size === headers.length;
  return areUnique ? Object.fromEntries(pairs) : pairs;
}

function bytesFromJson(field: string, value: unknown): Uint8Array | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return Buffer.from(value);
  if (typeof value === "object" && "base64" in value && typeof value.base64 === "string") {
    return Buffer.from(value.base64, "base64");
  }
  throw new Error(`"${field}" is neither a string, null, nor {"base64": "..."}`);
}

function headersFromJson(value: unknown): RecordHeader[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") throw new Error('"headers" is no object');
  const pairs: unknown[] = Array.isArray(value) ? value : Object.entries(value);
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || typeof pair[0] !== "string")
      throw new Error('"headers" has no pair of name and value');
    return { key: pair[0], value: bytesFromJson("headers", pair[1]) };
  });
}

function integerFromJson(field: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new Error(`"${field}" is no whole number`);
}
