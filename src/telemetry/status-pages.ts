import type { Logger } from "pino";
import type { HttpListener } from "../config/broker-config.ts";
import type { Clock } from "../runtime/clock.ts";
import type { HttpNetwork, HttpRequest, HttpResponse } from "../runtime/http.ts";
import type { Listener } from "../runtime/network.ts";
import { expose, expositionContentType } from "./exposition.ts";
import { metricFamilies } from "./metric-families.ts";
import type { BrokerPhase, MetricSources } from "./metric-sources.ts";

export interface StatusPagesOptions {
  readonly http: HttpNetwork;
  readonly clock: Pick<Clock, "soon">;
  readonly logger: Logger;
  readonly phase: () => BrokerPhase;
  readonly sources: () => Promise<MetricSources>;
}

type Page = () => HttpResponse | Promise<HttpResponse>;

/** Metrics and health over HTTP: /metrics, /health/live, /health/ready, and Redpanda's /v1/status/ready. */
export class StatusPages {
  readonly #options: StatusPagesOptions;
  #listener: Listener | undefined;
  #scrape: Promise<string> | undefined;

  constructor(options: StatusPagesOptions) {
    this.#options = options;
  }

  /**
   * Begins to serve; answers the port. A default address that cannot be had is told and done without.
   * @throws AddressInUseError and what the system throws, for an address that was asked for
   */
  async open(address: HttpListener): Promise<number | undefined> {
    const { http, logger } = this.#options;
    try {
      this.#listener = await http.serve(address, (request) => this.#answer(request));
      return this.#listener.port;
    } catch (err) {
      if (address.isExplicit) throw err;
      const reason = err instanceof Error ? err.message : String(err);
      logger.warn({ reason }, "no metrics and health over HTTP: set millrace.http.listener, or off");
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #answer({ method, path }: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const page = this.#pages.get(path);
    if (!page) return text(404, `Cannot find "${path}": there are ${[...this.#pages.keys()].join(", ")}\n`);
    if (method !== "GET" && method !== "HEAD") {
      return { ...text(405, `Cannot ${method} "${path}": it can only be read\n`), allow: "GET, HEAD" };
    }
    return page();
  }

  readonly #pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ["/metrics", () => this.#metrics()],
    ["/health/live", () => status(200, "live")],
    ["/health/ready", () => this.#readiness()],
    ["/v1/status/ready", () => this.#readiness()],
  ]);

  #readiness(): HttpResponse {
    const phase = this.#options.phase();
    return phase === "serving" ? status(200, "ready") : status(503, phase);
  }

  /** Scrapes that come at the same time share one reading. */
  async #metrics(): Promise<HttpResponse> {
    this.#scrape ??= this.#expose().finally(() => {
      this.#scrape = undefined;
    });
    return { status: 200, contentType: expositionContentType, body: await this.#scrape };
  }

  async #expose(): Promise<string> {
    const { clock, sources } = this.#options;
    const turn = () => new Promise<void>((resolve) => clock.soon(resolve));
    return expose(metricFamilies, await sources(), turn);
  }
}

function status(code: number, name: string): HttpResponse {
  return { status: code, contentType: "application/json", body: `${JSON.stringify({ status: name })}\n` };
}

function text(code: number, body: string): HttpResponse {
  return { status: code, contentType: "text/plain; charset=utf-8", body };
}
