import type { BrokerProcess } from "../integration/broker-process.ts";

/** Kafka's names of APIs and the versions of each, lowest first. */
export type ApiVersions = Readonly<Record<string, readonly number[]>>;

const sample = /^kafka_network_requestmetrics_requests_total\{request="(\w+)",version="(\d+)"\} (\d+)$/gm;

/** Which versions of which APIs a client used, as the broker's own metrics tell it. */
export class ApiUse {
  readonly #counts = new Map<string, Map<number, number>>();

  /** Adds what a life of the broker counted, before it ends. */
  async addLife(broker: BrokerProcess): Promise<void> {
    const serving = broker.log.findLast(({ msg }) => msg === "serving");
    const answer = await fetch(`http://127.0.0.1:${Number(serving?.httpPort)}/metrics`);
    for (const [, api = "", version, count] of (await answer.text()).matchAll(sample)) {
      this.#add(api, Number(version), Number(count));
    }
  }

  /** Takes off a request that the tests sent themselves. */
  subtract(api: string, version: number): void {
    this.#add(api, version, -1);
  }

  versions(): ApiVersions {
    const apis = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      apis.flatMap(([api, counts]) => {
        const used = [...counts].filter(([, count]) => count > 0).map(([version]) => version);
        return used.length > 0 ? [[api, used.toSorted((a, b) => a - b)]] : [];
      }),
    );
  }

  #add(api: string, version: number, count: number): void {
    const counts = this.#counts.get(api) ?? new Map<number, number>();
    this.#counts.set(api, counts);
    counts.set(version, (counts.get(version) ?? 0) + count);
  }
}
