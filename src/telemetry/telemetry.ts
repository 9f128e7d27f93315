import { LatencyHistogram } from "./latency-histogram.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { TopicTraffic } from "./topic-traffic.ts";

/** What a broker counts while it works; everything else is read off its parts when somebody asks. */
export class Telemetry {
  readonly requests = new RequestMetrics();
  readonly traffic = new TopicTraffic();
  /** From a pass's write to its being durable. */
  readonly journalFlushes = new LatencyHistogram();
  readonly segmentFlushes = new LatencyHistogram();
  /** Bytes that segment flushes have moved out of memory. */
  segmentFlushedBytes = 0;
}
