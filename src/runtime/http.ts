import type { Listener, ListenOptions } from "./network.ts";

/** HTTP as the broker's own status pages need it; a simulator has none. */
export interface HttpNetwork {
  /** Serves until closed; port 0 takes a free one. @throws AddressInUseError, and what the system throws */
  serve(options: ListenOptions, handler: HttpHandler): Promise<Listener>;
}

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** For a 405: the methods that are there. */
  readonly allow?: string;
}

/** Answers a request whose body is nobody's business. A rejection becomes a 500. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

/** Somebody else listens on this address. */
export class AddressInUseError extends Error {
  constructor({ host, port }: ListenOptions, options?: ErrorOptions) {
    super(`Cannot listen on "${host}:${port}": the address is in use`, options);
    this.name = "AddressInUseError";
  }
}
