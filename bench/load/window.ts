import { cpuSeconds } from "./broker-process.ts";
import { Histogram } from "./histogram.ts";

/**
 * The stretch of a run that counts: warm-up comes before it, stragglers after it.
 *
 * Times are those of `performance.now()`.
 */
export class Window {
  readonly startMs: number;
  readonly endMs: number;
  readonly latencies = new Histogram();
  readonly endToEnd = new Histogram();
  /** How late requests were sent: what the generator itself adds to its latencies. */
  readonly lag = new Histogram();
  produced = { records: 0, bytes: 0 };
  consumed = { records: 0, bytes: 0 };
  brokerCpuSeconds = 0;
  generatorCpuSeconds = 0;

  constructor(startMs: number, seconds: number) {
    this.startMs = startMs;
    this.endMs = startMs + seconds * 1000;
  }

  get seconds(): number {
    return (this.endMs - this.startMs) / 1000;
  }

  includes(timeMs: number): boolean {
    return timeMs >= this.startMs && timeMs < this.endMs;
  }

  /** Measures CPU time over the window; resolves at its end. */
  async watchCpu(brokerPids: readonly number[]): Promise<void> {
    await until(this.startMs);
    const stop = this.startCpu(brokerPids);
    await until(this.endMs);
    stop();
  }

  /** Measures CPU time from now until the answer is called. */
  startCpu(brokerPids: readonly number[]): () => void {
    const brokers = (): number => brokerPids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const broker = brokers();
    const generator = cpuSeconds(process.pid);
    return () => {
      this.brokerCpuSeconds = brokers() - broker;
      this.generatorCpuSeconds = cpuSeconds(process.pid) - generator;
    };
  }
}

export async function until(timeMs: number): Promise<void> {
  const waitMs = timeMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
