import { ErrorCode } from "#protocol/error-codes.ts";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import type { TopicAdmin } from "../cluster/admin/topic-admin.ts";
import type { MetadataStore } from "../cluster/metadata/metadata-store.ts";
import type { Partition } from "../partitions/partition.ts";
import type { PartitionManager } from "../partitions/partition-manager.ts";
import { type GroupLog, GroupLogError, type GroupRecord } from "./groups/group-log.ts";

/** The topic in which groups live. */
export const offsetsTopicName = "__consumer_offsets";

/** Decompressed bytes of one batch of the topic; its writers stay far below. */
const decompressedBytesMax = 128 << 20;

export interface OffsetsTopicOptions {
  readonly metadata: MetadataStore;
  readonly partitions: PartitionManager;
  readonly topics: TopicAdmin;
  /** offsets.topic.num.partitions, for as long as the topic does not exist. */
  readonly partitionCount: number;
  /** Whether there is room for more records (disk, memory). */
  readonly hasRoom: () => boolean;
}

/** `__consumer_offsets` as the coordinator's log: records in Kafka's own formats, in plain partitions. */
export class OffsetsTopic implements GroupLog {
  readonly #options: OffsetsTopicOptions;
  #creation: Promise<ErrorCode> | undefined;

  constructor(options: OffsetsTopicOptions) {
    this.#options = options;
  }

  get partitionCount(): number {
    const topic = this.#options.metadata.image.topics.get(offsetsTopicName);
    return topic?.partitions.length ?? this.#options.partitionCount;
  }

  /** Makes the topic when somebody asks for a coordinator for the first time. */
  async ensureTopic(): Promise<ErrorCode> {
    if (this.#options.metadata.image.topics.has(offsetsTopicName)) return ErrorCode.none;
    this.#creation ??= this.#options.topics.createAutomatically(offsetsTopicName).finally(() => {
      this.#creation = undefined;
    });
    return this.#creation;
  }

  isCertain(index: number): boolean {
    return this.#options.partitions.find(offsetsTopicName, index)?.isCertainLeader ?? false;
  }

  async confirm(index: number): Promise<void> {
    try {
      await this.#options.partitions.find(offsetsTopicName, index)?.confirmLeadership();
    } catch {
      // Whoever looks next sees that it is not certain.
    }
  }

  async append(index: number, records: readonly GroupRecord[], nowMs: number): Promise<void> {
    const partition = this.#partition(index);
    if (!this.#options.hasRoom()) {
      throw new GroupLogError("unavailable", `Cannot append to "${partition.name}": there is no room`);
    }
    const bytes = buildBatch({ records: records.map((record) => ({ ...record, timestampMs: nowMs })) });
    if (bytes.length > partition.settings.maxMessageBytes) {
      throw new GroupLogError("tooLarge", `Cannot append ${bytes.length} bytes to "${partition.name}"`);
    }
    const outcome = partition.append({ bytes, header: readBatchHeader(bytes, 0) }, nowMs);
    if (outcome.kind !== "appended") {
      throw new GroupLogError("notLeader", `Cannot append to "${partition.name}": ${outcome.kind}`);
    }
    try {
      await partition.whenCommitted(outcome.nextOffset);
    } catch (cause) {
      throw new GroupLogError("notLeader", `Cannot append to "${partition.name}": it was closed`, { cause });
    }
  }

  async load(
    index: number,
    onRecord: (key: Uint8Array, value: Uint8Array | null, timestampMs: number) => void,
  ): Promise<void> {
    const partition = this.#partition(index);
    await partition.log.scan(partition.logStartOffset, (batch) => {
      for (const { key, value, timestampMs } of readRecords(batch, { decompressedBytesMax })) {
        if (key) onRecord(key, value, timestampMs);
      }
    });
  }

  #partition(index: number): Partition {
    const partition = this.#options.partitions.find(offsetsTopicName, index);
    if (partition?.isLeader) return partition;
    throw new GroupLogError("notLeader", `Cannot use "${offsetsTopicName}-${index}": it is not led here`);
  }
}
