import type { Sample } from "./metric-family.ts";

/** What went through one topic, or all of them, since the start. */
export interface Traffic {
  recordsIn: number;
  bytesIn: number;
  bytesOut: number;
  /** Reads of a partition that memory answered, and those that went to the disk. */
  memoryReads: number;
  diskReads: number;
}

/** One read of a partition. */
export interface PartitionRead {
  readonly sizeBytes: number;
  readonly isFromMemory: boolean;
}

/** Bytes and records by topic, for as long as the topic exists; in total for ever, so that sums never fall. */
export class TopicTraffic {
  readonly total: Readonly<Traffic>;
  readonly #total = emptyTraffic();
  readonly #topics = new Map<string, Traffic>();

  constructor() {
    this.total = this.#total;
  }

  /** Notes an appended batch. */
  appended(topic: string, { recordCount, sizeBytes }: { recordCount: number; sizeBytes: number }): void {
    const traffic = this.#of(topic);
    traffic.recordsIn += recordCount;
    traffic.bytesIn += sizeBytes;
    this.#total.recordsIn += recordCount;
    this.#total.bytesIn += sizeBytes;
  }

  /** Notes what a fetch got of one partition. */
  read(topic: string, { sizeBytes, isFromMemory }: PartitionRead): void {
    const traffic = this.#of(topic);
    const reads = isFromMemory ? "memoryReads" : "diskReads";
    traffic.bytesOut += sizeBytes;
    traffic[reads] += 1;
    this.#total.bytesOut += sizeBytes;
    this.#total[reads] += 1;
  }

  /** The topic is deleted. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** One value of every topic that had any traffic. */
  *byTopic(field: keyof Traffic): Generator<Sample> {
    for (const [topic, traffic] of this.#topics) yield { labels: [topic], value: traffic[field] };
  }

  #of(topic: string): Traffic {
    let traffic = this.#topics.get(topic);
    if (!traffic) {
      traffic = emptyTraffic();
      this.#topics.set(topic, traffic);
    }
    return traffic;
  }
}

function emptyTraffic(): Traffic {
  return { recordsIn: 0, bytesIn: 0, bytesOut: 0, memoryReads: 0, diskReads: 0 };
}
