import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";

/** What the process uses, as its operator watches it; a simulated broker has none. */
export interface ProcessMeter {
  read(): ProcessUsage;
  /** Ends what measuring costs. */
  close(): void;
}

export interface ProcessUsage {
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory outside the heap: buffers, among them. */
  readonly externalBytes: number;
  /** How late the event loop came to a timer, since the last reading. */
  readonly loopDelay: LoopDelay;
  /** Seconds that the event loop has been busy since the start of the process. */
  readonly loopBusySeconds: number;
  /** By kind of collection. */
  readonly collections: ReadonlyMap<string, CollectionCount>;
}

export interface LoopDelay {
  readonly meanSeconds: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

export interface CollectionCount {
  readonly count: number;
  readonly seconds: number;
}

/** Period of the sampling timer: a delay shorter than this is not seen, and the timer costs nothing to speak of. */
const delayResolutionMs = 20;

const collectionKinds: Readonly<Record<number, string>> = {
  1: "minor",
  2: "minor_mark_sweep",
  4: "major",
  8: "incremental",
  16: "weakcb",
};

/** Measures this process from now on, until closed. */
export function meterProcess(): ProcessMeter {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  const collections = new Map<string, { count: number; seconds: number }>();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = collectionKinds[collectionKindOf(entry)] ?? "other";
      const counted = collections.get(kind) ?? { count: 0, seconds: 0 };
      counted.count += 1;
      counted.seconds += entry.duration / 1_000;
      collections.set(kind, counted);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return {
    read() {
      const cpu = process.cpuUsage();
      const memory = process.memoryUsage();
      const usage = {
        cpuUserSeconds: cpu.user / 1e6,
        cpuSystemSeconds: cpu.system / 1e6,
        residentBytes: memory.rss,
        heapUsedBytes: memory.heapUsed,
        heapTotalBytes: memory.heapTotal,
        externalBytes: memory.external,
        loopDelay: {
          meanSeconds: lateSeconds(delay.mean),
          p50Seconds: lateSeconds(delay.percentile(50)),
          p99Seconds: lateSeconds(delay.percentile(99)),
          maxSeconds: lateSeconds(delay.max),
        },
        loopBusySeconds: performance.eventLoopUtilization().active / 1_000,
        collections,
      };
      delay.reset();
      return usage;
    },
    close() {
      delay.disable();
      observer.disconnect();
    },
  };
}

/** The histogram holds whole periods of the sampling timer; nothing sampled yet is no delay. */
function lateSeconds(periodNs: number): number {
  return Number.isFinite(periodNs) ? Math.max(0, periodNs / 1e9 - delayResolutionMs / 1_000) : 0;
}

function collectionKindOf(entry: object): number {
  if (!("detail" in entry) || typeof entry.detail !== "object" || !entry.detail) return 0;
  return "kind" in entry.detail ? Number(entry.detail.kind) : 0;
}
