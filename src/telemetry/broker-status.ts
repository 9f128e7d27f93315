import type { Logger } from "pino";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { MetadataStore } from "../cluster/metadata/metadata-store.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import type { Ports } from "../runtime/ports.ts";
import type { ProcessMeter } from "../runtime/process-meter.ts";
import type { BrokerPhase, MetricSources } from "./metric-sources.ts";
import { StatusPages } from "./status-pages.ts";

/** The parts of a broker as they stand for its whole life. */
export interface BrokerParts
  extends Pick<
    MetricSources,
    "telemetry" | "partitions" | "groups" | "server" | "gate" | "journal" | "dirty" | "cache"
  > {
  readonly metadata: Pick<MetadataStore, "image">;
  readonly host: Pick<RaftHost, "proposedBytes" | "counts">;
}

export interface BrokerStatusOptions {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly config: () => BrokerConfig;
  readonly freeDiskBytes: () => Promise<number>;
  readonly parts: BrokerParts;
}

/** How a broker looks from outside: its phase, its metrics, and the pages that show them. */
export class BrokerStatus {
  phase: BrokerPhase = "recovering";
  /** Where the pages are; undefined where there are none. */
  port: number | undefined;
  readonly #options: BrokerStatusOptions;
  readonly #startedMs: number;
  #meter: ProcessMeter | undefined;
  #pages: StatusPages | undefined;

  constructor(options: BrokerStatusOptions) {
    this.#options = options;
    this.#startedMs = options.ports.clock.monotonicMs();
  }

  /** Opens the pages where there are to be some. @throws as `StatusPages.open` */
  async open(): Promise<void> {
    const { ports, logger, config } = this.#options;
    const { httpListener } = config();
    if (!ports.http || !httpListener) return;
    this.#meter = ports.meterProcess?.();
    this.#pages = new StatusPages({
      http: ports.http,
      clock: ports.clock,
      logger,
      phase: () => this.phase,
      sources: () => this.read(),
    });
    this.port = await this.#pages.open(httpListener);
  }

  async close(): Promise<void> {
    await this.#pages?.close();
    this.#meter?.close();
  }

  /** All that metrics are made of, now. */
  async read(): Promise<MetricSources> {
    const { ports, config, freeDiskBytes, parts } = this.#options;
    return {
      ...parts,
      phase: this.phase,
      uptimeMs: ports.clock.monotonicMs() - this.#startedMs,
      detail: config().metricsDetail,
      image: parts.metadata.image,
      proposedBytes: parts.host.proposedBytes,
      raft: parts.host.counts,
      // A disk that fails must not hide the other metrics.
      freeDiskBytes: await freeDiskBytes().catch(() => undefined),
      process: this.#meter?.read(),
    };
  }
}
