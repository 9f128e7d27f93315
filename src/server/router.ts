import { ApiKey } from "#protocol/api-keys.ts";
import { Reader } from "#protocol/bytes/reader.ts";
import { decodeRequestHeader, encodeResponseFrame, type RequestHead } from "#protocol/frame.ts";
import type { RequestContext } from "../handlers/request-context.ts";
import { advertisedApis, type Route, routes } from "../handlers/routes.ts";
import type { ServedBroker } from "../handlers/served-broker.ts";
import type { ConnectionFacts, FrameHandler, ResponseFrame } from "./connection.ts";

/** A request that names an API or version that is not served: Kafka closes the connection, and so do we. */
export class UnsupportedRequestError extends Error {
  constructor({ apiKey, apiVersion }: RequestHead) {
    super(`Cannot serve api key ${apiKey} version ${apiVersion}: not supported`);
    this.name = "UnsupportedRequestError";
  }
}

/** Decodes a frame, calls the API's handler and encodes its answer. */
export class Router implements FrameHandler {
  readonly #broker: ServedBroker;

  constructor(broker: ServedBroker) {
    this.#broker = broker;
  }

  carriesRecords(frame: Buffer): boolean {
    return frame.length >= 2 && frame.readInt16BE(0) === ApiKey.produce;
  }

  answer(frame: Buffer, connection: ConnectionFacts): ResponseFrame | Promise<ResponseFrame> {
    const startedMs = this.#broker.clock.monotonicMs();
    const reader = new Reader(frame);
    const head = decodeRequestHeader(reader);
    const route = routes.get(head.apiKey);
    if (!route) throw new UnsupportedRequestError(head);
    const context = {
      apiKey: head.apiKey,
      apiVersion: head.apiVersion,
      clientId: head.clientId,
      frameBytes: frame.length,
      connection,
      advertised: advertisedApis,
    };
    if (!isServed(route, head.apiVersion)) return this.#answerUnsupported(route, head, context);

    const request = route.api.request.decode(reader, head.apiVersion);
    const answer = route.handle(this.#broker, request as never, context);
    if (answer instanceof Promise) {
      return answer.then((response) => this.#finish(route, head, { response, startedMs }));
    }
    return this.#finish(route, head, { response: answer, startedMs });
  }

  #finish(
    route: Route,
    head: RequestHead,
    { response, startedMs }: { response: unknown; startedMs: number },
  ): ResponseFrame {
    const frame = encode(route, head, response);
    const { clock, telemetry } = this.#broker;
    const durationMs = clock.monotonicMs() - startedMs;
    telemetry.requests.answered(route.api, head.apiVersion, { response, durationMs });
    return frame;
  }

  /** A client learns from ApiVersions what is served, so this one API answers versions that it does not know. */
  #answerUnsupported(route: Route, head: RequestHead, context: RequestContext): ResponseFrame {
    if (route.api.key !== ApiKey.apiVersions) throw new UnsupportedRequestError(head);
    const response = route.handle(this.#broker, {} as never, context);
    return encode(route, { ...head, apiVersion: 0 }, response);
  }
}

function isServed({ api, advertised: [, max] }: Route, version: number): boolean {
  return api.supports(version) && version <= max;
}

function encode({ api }: Route, head: RequestHead, response: unknown): ResponseFrame {
  if (response === undefined) return undefined;
  return encodeResponseFrame(response as object, {
    api,
    version: head.apiVersion,
    correlationId: head.correlationId,
  });
}
