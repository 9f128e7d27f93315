import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { residentBytes } from "../load/broker-process.ts";
import { Histogram } from "../load/histogram.ts";
import type { GroupFollower } from "./group-reader.ts";
import type { PartitionLedger } from "./ledger.ts";
import { readMetrics } from "./metrics-text.ts";
import type { SoakBroker } from "./soak-broker.ts";

const scrapeMsMax = 2_000;
const blockBytes = 512;

/** What was seen at one time; what only a living broker tells is absent between two lives. */
export interface Sample {
  /** Since the beginning of the load. */
  readonly atMs: number;
  readonly life: number | undefined;
  readonly process: ProcessSample | undefined;
  /** Taken by files on the disk: segments and all that goes with them, and the journal. */
  readonly dataBytes: number;
  readonly journalBytes: number;
  /** Records acknowledged since the last sample, and their latencies. */
  readonly records: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Records acknowledged and not yet delivered, over all groups. */
  readonly lagRecords: number;
}

export interface ProcessSample {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** The heap with what V8 keeps free of it. */
  readonly heapTotalBytes: number;
  /** Address space of the aligned memory included, of which few pages are ever touched. */
  readonly externalBytes: number;
  readonly handles: number;
  readonly connections: number;
  /** 99th percentile and longest of the event loop's delay since the last sample. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
}

export interface SamplerOptions {
  readonly broker: SoakBroker;
  readonly groups: readonly GroupFollower[];
  readonly ledgers: readonly PartitionLedger[];
  readonly beginMs: number;
}

/** Looks at the broker from outside, now and then. */
export class Sampler {
  readonly samples: Sample[] = [];
  /** Latencies of the whole run. */
  readonly latencies = new Histogram();
  readonly #options: SamplerOptions;
  #interval = new Histogram();

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  record(latencyMs: number): void {
    this.#interval.record(latencyMs);
    this.latencies.record(latencyMs);
  }

  async sample(): Promise<void> {
    const { broker, groups, ledgers, beginMs } = this.#options;
    const { life } = broker;
    const interval = this.#interval;
    this.#interval = new Histogram();
    const atMs = performance.now() - beginMs;
    const lagRecords = groups.reduce((sum, group) => sum + group.lagOf(ledgers), 0);
    const [process, journalBytes, allBytes] = await Promise.all([
      life && this.#lookAt(life.pid),
      usedBytes(join(broker.dataDirectory, "journal")),
      usedBytes(broker.dataDirectory),
    ]);
    const { count, p50Ms, p99Ms, maxMs } = interval.summary();
    this.samples.push({
      atMs,
      life: process && life?.number,
      process,
      dataBytes: Math.max(0, allBytes - journalBytes),
      journalBytes,
      records: count,
      p50Ms,
      p99Ms,
      maxMs,
      lagRecords,
    });
  }

  /** Undefined when the broker ended meanwhile. */
  async #lookAt(pid: number | undefined): Promise<ProcessSample | undefined> {
    try {
      const answer = await fetch(this.#options.broker.metricsUrl, {
        signal: AbortSignal.timeout(scrapeMsMax),
      });
      const metrics = readMetrics(await answer.text());
      const of = (name: string): number => metrics.get(name) ?? 0;
      return {
        residentBytes: residentBytes(pid),
        heapUsedBytes: of("nodejs_heap_size_used_bytes"),
        heapTotalBytes: of("nodejs_heap_size_total_bytes"),
        externalBytes: of("nodejs_external_memory_bytes"),
        handles: (await readdir(`/proc/${pid}/fd`)).length,
        connections: of("kafka_server_socket_server_metrics_connection_count"),
        loopP99Ms: of("nodejs_eventloop_lag_p99_seconds") * 1000,
        loopMaxMs: of("nodejs_eventloop_lag_max_seconds") * 1000,
      };
    } catch {
      return undefined;
    }
  }
}

/** Blocks that all files below a directory take; files come and go meanwhile. */
async function usedBytes(directory: string): Promise<number> {
  let sum = 0;
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sum += await usedBytes(path);
    else if (entry.isFile()) sum += ((await stat(path).catch(() => undefined))?.blocks ?? 0) * blockBytes;
  }
  return sum;
}
