import type { ConnectionFacts } from "../server/connection.ts";

/** What a handler knows of a request besides its body. */
export interface RequestContext {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** As the client named itself; null where it did not. */
  readonly clientId: string | null;
  /** Length of the whole request. */
  readonly frameBytes: number;
  readonly connection: ConnectionFacts;
  /** What this broker tells clients that it serves. */
  readonly advertised: readonly AdvertisedApi[];
}

/** One API's versions as ApiVersions tells them. */
export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The connection has to be closed, as the protocol has no other way to say that the request failed. */
export class CloseConnectionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CloseConnectionError";
  }
}
