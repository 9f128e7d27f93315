import { ProtocolError } from "../bytes/protocol-error.ts";
import { type Cursor, readVarint } from "../bytes/varint.ts";
import { decompress } from "../compression/compression.ts";
import { attributesOf, type BatchHeader, batchHeaderBytes, readBatchHeader } from "./batch.ts";
import { RecordCursor, readNullableLength } from "./record-cursor.ts";

/** A header of a record; keys may repeat, and order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** One record; its key and values are views of the batch, or of its decompressed records. */
export interface DecodedRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** How far one batch may expand; without a bound a few kilobytes could ask for gigabytes. */
export interface DecompressionBound {
  readonly decompressedBytesMax: number;
}

const noHeaders: readonly RecordHeader[] = [];

/**
 * The records of one whole, intact batch, in order.
 * @throws ProtocolError, CompressionError
 */
export function* readRecords(batch: Uint8Array, bound: DecompressionBound): Generator<DecodedRecord> {
  const header = readBatchHeader(batch, 0);
  const timestampOf = recordTimestamps(header);
  const cursor = new RecordCursor(recordBytes(batch, header, bound));
  let count = 0;
  for (; cursor.next(); count++) {
    yield {
      offset: header.baseOffset + cursor.offsetDelta,
      timestampMs: timestampOf(cursor.timestampDelta),
      key: view(cursor.bytes, cursor.keyPosition, cursor.keyBytes),
      value: view(cursor.bytes, cursor.valuePosition, cursor.valueBytes),
      headers: cursor.headerCount === 0 ? noHeaders : readHeaders(cursor),
    };
  }
  if (count !== header.recordCount) {
    throw new ProtocolError(
      "malformed",
      `Cannot read batch: ${count} records instead of ${header.recordCount}`,
    );
  }
}

/** A batch's records, decompressed but not decoded. @throws ProtocolError, CompressionError */
export function recordBytes(batch: Uint8Array, header: BatchHeader, bound: DecompressionBound): Uint8Array {
  const { compression } = attributesOf(header);
  if (!compression) {
    throw new ProtocolError(
      "malformed",
      `Cannot read batch: unknown codec in attributes ${header.attributes}`,
    );
  }
  const bytes = batch.subarray(batchHeaderBytes, header.sizeBytes);
  return decompress(compression, bytes, bound.decompressedBytesMax);
}

/** How a record's time follows from its delta: under LogAppendTime every record carries the batch's time. */
export function recordTimestamps(header: BatchHeader): (timestampDelta: number) => number {
  return attributesOf(header).timestampType === "logAppendTime"
    ? () => header.maxTimestampMs
    : (timestampDelta) => header.baseTimestampMs + timestampDelta;
}

/** The cursor has checked every length of these headers already. */
function readHeaders({ bytes, headersPosition, headerCount, end }: RecordCursor): RecordHeader[] {
  const cursor: Cursor = { bytes, position: headersPosition, end };
  const headers: RecordHeader[] = [];
  for (let index = 0; index < headerCount; index++) {
    const keyBytes = readVarint(cursor);
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + cursor.position, keyBytes).toString("utf8");
    cursor.position += keyBytes;
    const valueBytes = readNullableLength(cursor);
    headers.push({ key, value: view(bytes, cursor.position, valueBytes) });
    cursor.position += Math.max(valueBytes, 0);
  }
  return headers;
}

function view(bytes: Uint8Array, position: number, sizeBytes: number): Uint8Array | null {
  return sizeBytes < 0 ? null : bytes.subarray(position, position + sizeBytes);
}
