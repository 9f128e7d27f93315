import type { Reader } from "../bytes/reader.ts";
import type { Writer } from "../bytes/writer.ts";
import { Codec, isFlexible, type VersionRange } from "./codec.ts";
import type { DecodedStruct, Fields, InputStruct } from "./field.ts";

/** An API as it is written down: once, for all its versions. */
export interface ApiDeclaration<Request extends Fields, Response extends Fields> {
  /** Kafka's name, without "Request" or "Response". */
  readonly name: string;
  readonly key: number;
  /** Both ends inclusive; requests and responses always share them. */
  readonly versions: VersionRange;
  readonly flexibleFrom: number | "never";
  /** Kafka hides its newest version unless told otherwise: fields may still change. */
  readonly latestVersionUnstable?: boolean;
  readonly request: Request;
  readonly response: Response;
}

/** A declared API with its compiled codecs. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly name: string;
  readonly key: number;
  readonly versions: VersionRange;
  readonly flexibleFrom: number | "never";
  readonly latestVersionUnstable: boolean;
  readonly request: Codec<DecodedStruct<Request>, InputStruct<Request>>;
  readonly response: Codec<DecodedStruct<Response>, InputStruct<Response>>;
  isFlexible(version: number): boolean;
  supports(version: number): boolean;
}

/** Declares an API. */
export function api<const Request extends Fields, const Response extends Fields>(
  declaration: ApiDeclaration<Request, Response>,
): Api<Request, Response> {
  const { name, key, versions, flexibleFrom, latestVersionUnstable = false, request, response } = declaration;
  const [min, max] = versions;
  return {
    name,
    key,
    versions,
    flexibleFrom,
    latestVersionUnstable,
    request: new Codec({ name: `${name}Request`, versions, flexibleFrom, fields: request }),
    response: new Codec({ name: `${name}Response`, versions, flexibleFrom, fields: response }),
    isFlexible: (version) => isFlexible(declaration, version),
    supports: (version) => version >= min && version <= max,
  };
}

type Decodes = { decode(reader: Reader, version: number): unknown };
type Encodes = { encode(writer: Writer, value: never, version: number): void };

/** A request as the broker receives it: every field present. */
export type RequestOf<A extends { request: Decodes }> = ReturnType<A["request"]["decode"]>;

/** A response as the broker writes it: fields left out take their defaults. */
export type ResponseOf<A extends { response: Encodes }> = Parameters<A["response"]["encode"]>[1];

/** A request as a client writes it. */
export type RequestInput<A extends { request: Encodes }> = Parameters<A["request"]["encode"]>[1];

/** A response as a client receives it. */
export type ResponseOutput<A extends { response: Decodes }> = ReturnType<A["response"]["decode"]>;
