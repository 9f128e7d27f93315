import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterClient } from "./cluster-client.ts";

/** One acknowledged record. */
export interface Acknowledgement {
  readonly atMs: number;
  readonly nodeId: number;
}

const retryMs = 5;

/** Writes record after record to one partition, each acknowledged before the next, and follows its leader. */
export class SteadyWriter {
  readonly #client: ClusterClient;
  readonly #topic: string;
  readonly #run: Promise<void>;
  readonly #waiting: ((acknowledgement: Acknowledgement) => void)[] = [];
  #acknowledgements: Acknowledgement[] = [];
  #isStopped = false;

  constructor(client: ClusterClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
    this.#run = this.#write();
  }

  /** The next record that is acknowledged. */
  async next(): Promise<Acknowledgement> {
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What was acknowledged since this was asked last. */
  take(): readonly Acknowledgement[] {
    const taken = this.#acknowledgements;
    this.#acknowledgements = [];
    return taken;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }

  async #write(): Promise<void> {
    let leader: number | undefined;
    let asked = 0;
    while (!this.#isStopped) {
      try {
        leader ??= await this.#leaderAsSeenBy(
          this.#client.nodeIds[asked++ % this.#client.nodeIds.length] ?? 1,
        );
        const taken = leader === undefined ? [] : await this.#client.produce(leader, this.#topic, [0]);
        if (taken.length > 0) {
          this.#acknowledged({ atMs: performance.now(), nodeId: leader ?? 0 });
          continue;
        }
      } catch {
        // A node that is gone; another one knows who leads.
      }
      leader = undefined;
      await sleep(retryMs);
    }
  }

  async #leaderAsSeenBy(nodeId: number): Promise<number | undefined> {
    const [first] = await this.#client.partitions(nodeId, this.#topic);
    return first && first.leader > 0 ? first.leader : undefined;
  }

  #acknowledged(acknowledgement: Acknowledgement): void {
    this.#acknowledgements.push(acknowledgement);
    for (const resolve of this.#waiting.splice(0)) resolve(acknowledgement);
  }
}
