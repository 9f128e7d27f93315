/**
 * Requests written by hand, byte by byte: what a broker must survive cannot be built with codecs that refuse it.
 *
 *   frame      int32 length | header | body
 *   header v1  int16 api key | int16 version | int32 correlation id | nullable string client id
 *   header v2  the same, then tagged fields
 */

export const apiKeys = { produce: 0, fetch: 1, listOffsets: 2, metadata: 3, apiVersions: 18 } as const;

export const int8 = (value: number): Buffer => Buffer.from([value & 0xff]);

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A string of the old encoding; null is length -1. */
export function string(value: string | null): Buffer {
  if (value === null) return int16(-1);
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** A string of the flexible encoding. */
export function compactString(value: string): Buffer {
  return Buffer.concat([unsignedVarint(Buffer.byteLength(value) + 1), Buffer.from(value)]);
}

/** Tagged fields by their tag, none by default. */
export function taggedFields(fields: Readonly<Record<number, Buffer>> = {}): Buffer {
  const entries = Object.entries(fields);
  const encoded = entries.map(([tag, value]) =>
    Buffer.concat([unsignedVarint(Number(tag)), unsignedVarint(value.length), value]),
  );
  return Buffer.concat([unsignedVarint(entries.length), ...encoded]);
}

/** Puts the length of the parts before them. */
export function frame(...parts: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([int32(payload.length), payload]);
}

/** A request's header; `tags` makes it version 2. */
export function header(of: {
  apiKey: number;
  apiVersion: number;
  correlationId?: number;
  clientId?: string | null;
  tags?: Readonly<Record<number, Buffer>>;
}): Buffer {
  return Buffer.concat([
    int16(of.apiKey),
    int16(of.apiVersion),
    int32(of.correlationId ?? 1),
    string(of.clientId === undefined ? "raw" : of.clientId),
    ...(of.tags ? [taggedFields(of.tags)] : []),
  ]);
}

/** ApiVersions v0: the smallest whole request there is. */
export function apiVersionsRequest(correlationId: number): Buffer {
  return frame(header({ apiKey: apiKeys.apiVersions, apiVersion: 0, correlationId }));
}

/** Metadata v1 for all topics. */
export function metadataRequest(correlationId: number): Buffer {
  return frame(header({ apiKey: apiKeys.metadata, apiVersion: 1, correlationId }), int32(-1));
}

/** Produce of old encoding (3 to 8) to one partition; `records` null is no records at all. */
export function produceRequest(of: {
  topic: string;
  records: Uint8Array | null;
  partition?: number;
  acks?: number;
  apiVersion?: number;
  correlationId?: number;
}): Buffer {
  return frame(
    header({ apiKey: apiKeys.produce, apiVersion: of.apiVersion ?? 7, correlationId: of.correlationId ?? 1 }),
    string(null), // Transactional id.
    int16(of.acks ?? -1),
    int32(10_000),
    int32(1),
    string(of.topic),
    int32(1),
    int32(of.partition ?? 0),
    of.records ? Buffer.concat([int32(of.records.length), of.records]) : int32(-1),
  );
}

/** What a Produce response (3 to 8) of one partition says. */
export interface ProduceAnswer {
  readonly correlationId: number;
  readonly errorCode: number;
  readonly baseOffset: bigint;
}

export function readProduceResponse(payload: Buffer): ProduceAnswer {
  const nameBytes = payload.readInt16BE(8);
  const partition = 8 + 2 + nameBytes + 4;
  return {
    correlationId: payload.readInt32BE(0),
    errorCode: payload.readInt16BE(partition + 4),
    baseOffset: payload.readBigInt64BE(partition + 6),
  };
}

/** ListOffsets v1 for one partition and time. */
export function listOffsetsRequest(of: {
  topic: string;
  timestampMs: bigint;
  correlationId?: number;
}): Buffer {
  return frame(
    header({ apiKey: apiKeys.listOffsets, apiVersion: 1, correlationId: of.correlationId ?? 1 }),
    int32(-1), // Replica id.
    int32(1),
    string(of.topic),
    int32(1),
    int32(0),
    int64(of.timestampMs),
  );
}

const fetchBytesMax = 10 << 20;

/** Fetch v4 of one partition, up to 10 MiB unless said otherwise. */
export function fetchRequest(of: {
  topic: string;
  offset: bigint;
  waitMsMax?: number;
  bytesMax?: number;
  correlationId?: number;
}): Buffer {
  const bytesMax = of.bytesMax ?? fetchBytesMax;
  return frame(
    header({ apiKey: apiKeys.fetch, apiVersion: 4, correlationId: of.correlationId ?? 1 }),
    int32(-1), // Replica id.
    int32(of.waitMsMax ?? 0),
    int32(1),
    int32(bytesMax),
    int8(0), // Read uncommitted.
    int32(1),
    string(of.topic),
    int32(1),
    int32(0),
    int64(of.offset),
    int32(bytesMax),
  );
}

/** What a Fetch v4 response of one partition says. */
export interface FetchAnswer {
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly records: Buffer;
}

export function readFetchResponse(payload: Buffer): FetchAnswer {
  // Correlation id, throttle time and the count of topics come before the topic's name.
  const nameBytes = payload.readInt16BE(12);
  const partition = 12 + 2 + nameBytes + 4;
  const abortedCount = payload.readInt32BE(partition + 22);
  const records = partition + 26 + 16 * Math.max(0, abortedCount);
  const sizeBytes = Math.max(0, payload.readInt32BE(records));
  return {
    errorCode: payload.readInt16BE(partition + 4),
    highWatermark: payload.readBigInt64BE(partition + 6),
    records: payload.subarray(records + 4, records + 4 + sizeBytes),
  };
}
