import { ApiKey, apiName } from "#protocol/api-keys.ts";
import { ErrorCode, errorName } from "#protocol/error-codes.ts";
import type { Api } from "#protocol/schema/api.ts";
import { type ErrorCounter, ErrorTally, errorCounterOf } from "./error-counter.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { HistogramSample, Sample } from "./metric-family.ts";

/** What waits for other things, and so has durations of its own kind. */
const latencyClasses = ["produce", "fetch", "rebalance", "other"] as const;

type LatencyClass = (typeof latencyClasses)[number];

interface ApiCounts {
  readonly name: string;
  readonly latency: LatencyHistogram;
  readonly countErrors: ErrorCounter;
  /** By version. */
  readonly requests: number[];
  readonly errors: ErrorTally;
}

/** Counts the requests that were answered: by API and version, by the errors in their answers, and by duration. */
export class RequestMetrics {
  readonly #byKey: (ApiCounts | undefined)[] = [];
  readonly #latencies: Readonly<Record<LatencyClass, LatencyHistogram>> = {
    produce: new LatencyHistogram(),
    fetch: new LatencyHistogram(),
    rebalance: new LatencyHistogram(),
    other: new LatencyHistogram(),
  };

  /** Notes an answer; `response` is undefined where the protocol has none (acks=0). Called for every request. */
  answered(
    api: Api,
    version: number,
    { response, durationMs }: { response: unknown; durationMs: number },
  ): void {
    const counts = this.#byKey[api.key] ?? this.#begin(api);
    counts.requests[version] = (counts.requests[version] ?? 0) + 1;
    counts.latency.observe(durationMs);
    if (response !== undefined) counts.countErrors(response, counts.errors);
  }

  /** By API and version. */
  *requests(): Generator<Sample> {
    for (const counts of this.#byKey) {
      if (!counts) continue;
      for (const [version, value] of counts.requests.entries()) {
        if (value) yield { labels: [counts.name, String(version)], value };
      }
    }
  }

  /** By API and Kafka's name of the error; NONE counts successes. */
  *errors(): Generator<Sample> {
    for (const counts of this.#byKey) {
      if (!counts) continue;
      const { none, failures } = counts.errors;
      if (none > 0) yield { labels: [counts.name, errorName(ErrorCode.none)], value: none };
      for (const [code, value] of failures) yield { labels: [counts.name, errorName(code)], value };
    }
  }

  /** By class of request. */
  latencies(): HistogramSample[] {
    return latencyClasses.map((name) => ({ labels: [name], histogram: this.#latencies[name] }));
  }

  #begin(api: Api): ApiCounts {
    const counts: ApiCounts = {
      name: apiName(api.key),
      latency: this.#latencies[latencyClassOf(api.key)],
      countErrors: errorCounterOf(api),
      requests: [],
      errors: new ErrorTally(),
    };
    this.#byKey[api.key] = counts;
    return counts;
  }
}

function latencyClassOf(apiKey: number): LatencyClass {
  switch (apiKey) {
    case ApiKey.produce:
      return "produce";
    case ApiKey.fetch:
      return "fetch";
    case ApiKey.joinGroup:
    case ApiKey.syncGroup:
      return "rebalance";
    default:
      return "other";
  }
}
