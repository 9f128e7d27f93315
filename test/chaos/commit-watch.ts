import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import type { History } from "./history.ts";

export interface CommitWatchOptions {
  readonly admin: Admin;
  readonly topic: string;
  readonly partitionCount: number;
  readonly groups: readonly string[];
}

const everyMs = 400;

/** Reads committed offsets again and again: none may be below what was committed before the read began. */
export class CommitWatch {
  readonly #history: History;
  readonly #options: CommitWatchOptions;
  readonly #run: Promise<void>;
  #isStopped = false;

  constructor(history: History, options: CommitWatchOptions) {
    this.#history = history;
    this.#options = options;
    this.#run = this.#watch();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }

  async #watch(): Promise<void> {
    const { groups } = this.#options;
    while (!this.#isStopped) {
      for (const group of groups) await this.#read(group);
      await sleep(everyMs);
    }
  }

  async #read(groupId: string): Promise<void> {
    const { admin, topic, partitionCount } = this.#options;
    const floors = Array.from({ length: partitionCount }, (_, partition) =>
      this.#history.committedAtLeast(groupId, partition),
    );
    // Nobody there to answer is no answer.
    const answer = await admin.fetchOffsets({ groupId, topics: [topic] }).catch(() => []);
    for (const { partition, offset } of answer[0]?.partitions ?? []) {
      const place = { partition, offset: Number(offset) };
      this.#history.readCommitted(groupId, place, floors[partition] ?? -1);
    }
  }
}
