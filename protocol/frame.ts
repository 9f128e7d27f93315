/**
 * What surrounds a message on a connection.
 *
 * | request  | size int32 | api key int16 | api version int16 | correlation id int32 | client id | tags (v2) | body |
 * | response | size int32 | correlation id int32 | tags (v1) | body |
 *
 * The size counts what follows it; cutting frames out of the stream is the server's business.
 */
import { ApiKey } from "./api-keys.ts";
import { apiByKey } from "./apis.ts";
import { Reader } from "./bytes/reader.ts";
import { Writer } from "./bytes/writer.ts";
import { RequestHeader } from "./messages/internal/request-header.ts";
import { ResponseHeader } from "./messages/internal/response-header.ts";
import type { Api, RequestInput, ResponseOf, ResponseOutput } from "./schema/api.ts";

/** A request's header, before anyone knows whether its API and version are served. */
export interface RequestHead {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** Null for clients that do not name themselves, and for APIs whose header format is unknown. */
  readonly clientId: string | null;
}

/** 2 for flexible requests, 1 for all others that Kafka 4 still speaks. */
export function requestHeaderVersion(api: Pick<Api, "isFlexible">, version: number): 1 | 2 {
  return api.isFlexible(version) ? 2 : 1;
}

/** 1 for flexible responses, except that ApiVersions is 0 for ever: its reader knows no version yet (KIP-511). */
export function responseHeaderVersion(api: Pick<Api, "key" | "isFlexible">, version: number): 0 | 1 {
  return api.isFlexible(version) && api.key !== ApiKey.apiVersions ? 1 : 0;
}

/**
 * Reads a request's header and leaves the reader at the body; throws ProtocolError for a malformed one.
 *
 * A version that the API lacks is read like its newest, so that ApiVersions can be refused politely; for an unknown
 * API only the fixed part is read.
 */
export function decodeRequestHeader(reader: Reader): RequestHead {
  const start = reader.position;
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const api = apiByKey.get(apiKey);
  if (api === undefined) return { apiKey, apiVersion, correlationId: reader.int32(), clientId: null };

  reader.position = start;
  const header = RequestHeader.decode(reader, requestHeaderVersion(api, apiVersion));
  return { apiKey, apiVersion, correlationId: header.correlationId, clientId: header.clientId };
}

/** Writes a response's header. */
export function writeResponseHeader(
  writer: Writer,
  { api, version, correlationId }: { api: Api; version: number; correlationId: number },
): void {
  ResponseHeader.encode(writer, { correlationId }, responseHeaderVersion(api, version));
}

/** Encodes a response with its header and size as a gather list, ready for the socket. */
export function encodeResponseFrame<A extends Api>(
  response: ResponseOf<A>,
  { api, version, correlationId }: { api: A; version: number; correlationId: number },
): Uint8Array[] {
  const writer = new Writer();
  const size = writer.reserveInt32();
  writeResponseHeader(writer, { api, version, correlationId });
  api.response.encode(writer, response, version);
  writer.patchInt32(size, writer.sizeBytes - 4);
  return writer.finish();
}

/** Encodes a request as a client sends it, size included. */
export function encodeRequestFrame<A extends Api>(
  request: RequestInput<A>,
  {
    api,
    version,
    correlationId,
    clientId,
  }: { api: A; version: number; correlationId: number; clientId: string | null },
): Uint8Array {
  const writer = new Writer();
  const size = writer.reserveInt32();
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId };
  RequestHeader.encode(writer, header, requestHeaderVersion(api, version));
  api.request.encode(writer, request, version);
  writer.patchInt32(size, writer.sizeBytes - 4);
  return writer.toBytes();
}

/** Decodes a response frame as a client receives it, its size prefix already cut off; checks that nothing is left over. */
export function decodeResponseFrame<A extends Api>(
  frame: Uint8Array,
  { api, version }: { api: A; version: number },
): { correlationId: number; response: ResponseOutput<A> } {
  const reader = new Reader(frame);
  const { correlationId } = ResponseHeader.decode(reader, responseHeaderVersion(api, version));
  const response = api.response.decode(reader, version) as ResponseOutput<A>;
  reader.expectEnd();
  return { correlationId, response };
}
