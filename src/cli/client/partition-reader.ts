import { ErrorCode } from "#protocol/error-codes.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { attributesOf, isIntact, readBatches, type TimestampType } from "#protocol/records/batch.ts";
import { type DecodedRecord, readRecords } from "#protocol/records/record.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { AbortedTransactions } from "./aborted-transactions.ts";
import { ConnectionError, RefusedError } from "./client-errors.ts";
import { type Cluster, isPassing } from "./cluster.ts";
import { listOffsets, specialTimes } from "./offsets.ts";
import { type PartitionLeaders, partitionKey, type TopicPartition } from "./partition-leaders.ts";

/** A record and where it was. */
export interface ConsumedRecord extends DecodedRecord, TopicPartition {
  readonly timestampType: TimestampType;
}

export interface ReaderOptions {
  /** Leaves out records of transactions that are open or were aborted. */
  readonly isCommittedOnly: boolean;
  /** Where to go on when a position is not in the log any more; "fail" throws. */
  readonly onOutOfRange: "beginning" | "end" | "fail";
}

/** Records are asked for with names of topics, not ids, up to here. */
const fetchVersionMax = 12;

const waitMsMax = 500;
const fetchBytesMax = 16 << 20;
const partitionBytesMax = 1 << 20;

/** How far one batch may expand. */
const decompressedBytesMax = 256 << 20;

const retryDelayMs = 100;

type PartitionAnswer = ResponseOutput<typeof Fetch>["responses"][number]["partitions"][number];

/** A partition that is read: where to go on, and how far there is something to read. */
interface Position extends TopicPartition {
  offset: number;
  /** Undefined until the first answer. */
  end: number | undefined;
  /** Decoded and not handed out yet. */
  ready: ConsumedRecord[];
}

/** Reads partitions from given offsets on, with one request to each leader at a time. */
export class PartitionReader {
  readonly #cluster: Cluster;
  readonly #leaders: PartitionLeaders;
  readonly #options: ReaderOptions;
  #positions: ReadonlyMap<string, Position> = new Map();

  constructor(cluster: Cluster, leaders: PartitionLeaders, options: ReaderOptions) {
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#options = options;
  }

  /** Takes the place of what was read before. */
  assign(positions: Iterable<TopicPartition & { readonly offset: number }>): void {
    this.#positions = new Map(
      Array.from(positions, ({ topic, partition, offset }) => [
        partitionKey({ topic, partition }),
        { topic, partition, offset, end: undefined, ready: [] },
      ]),
    );
  }

  /** The next offset to hand out in each partition. */
  get positions(): readonly (TopicPartition & { readonly offset: number })[] {
    return [...this.#positions.values()].map(({ topic, partition, offset, ready }) => ({
      topic,
      partition,
      offset: ready[0]?.offset ?? offset,
    }));
  }

  /** Everything that is there, as far as the last answers knew, was handed out. */
  get isAtEnd(): boolean {
    return [...this.#positions.values()].every(
      ({ offset, end, ready }) => ready.length === 0 && end !== undefined && offset >= end,
    );
  }

  /** Up to `countMax` records, those of one partition in order; none where nothing came for a while. */
  async poll(countMax: number): Promise<readonly ConsumedRecord[]> {
    if (![...this.#positions.values()].some(({ ready }) => ready.length > 0)) await this.#fetch();
    const records: ConsumedRecord[] = [];
    for (const position of this.#positions.values()) {
      if (records.length >= countMax) break;
      const taken = position.ready.splice(0, countMax - records.length);
      for (const record of taken) records.push(record);
    }
    return records;
  }

  async #fetch(): Promise<void> {
    const positions = this.#positions;
    try {
      const byLeader = [...this.#leaders.byLeader(positions.values())];
      if (byLeader.length === 0) await this.#cluster.sleep(retryDelayMs);
      const answers = await Promise.all(byLeader.map(([nodeId, led]) => this.#ask(nodeId, led)));
      // What a new assignment made obsolete is dropped.
      if (positions !== this.#positions) return;
      for (const [position, answer] of answers.flat()) await this.#take(position, answer);
    } catch (error) {
      const isBroken = error instanceof ConnectionError || error instanceof RefusedError;
      if (!isBroken || !isPassing(error)) throw error;
      await this.#cluster.sleep(retryDelayMs);
      await this.#leaders.relearn();
    }
  }

  async #ask(nodeId: number, led: readonly Position[]): Promise<readonly [Position, PartitionAnswer][]> {
    const connection = await this.#cluster.connectionTo(nodeId);
    const topics = [...Map.groupBy(led, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, offset }) => ({
        partition,
        fetchOffset: offset,
        partitionMaxBytes: partitionBytesMax,
      })),
    }));
    const request = {
      maxWaitMs: waitMsMax,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      isolationLevel: this.#options.isCommittedOnly ? 1 : 0,
      topics,
      forgottenTopicsData: [],
      rackId: "",
    };
    const answer = await connection.request(Fetch, request, {
      versionMax: fetchVersionMax,
      waitMs: waitMsMax,
    });
    if (answer.errorCode !== ErrorCode.none) throw new RefusedError("fetch", answer.errorCode);
    return answer.responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap((partition): [Position, PartitionAnswer][] => {
        const position = led.find((one) => one.topic === topic && one.partition === partition.partitionIndex);
        return position ? [[position, partition]] : [];
      }),
    );
  }

  async #take(position: Position, answer: PartitionAnswer): Promise<void> {
    const { topic, partition } = position;
    if (answer.errorCode === ErrorCode.offsetOutOfRange && this.#options.onOutOfRange !== "fail") {
      const timestampMs = specialTimes[this.#options.onOutOfRange];
      const offsets = await listOffsets(this.#cluster, this.#leaders, {
        partitions: [position],
        timestampMs,
      });
      position.offset = offsets.get(partitionKey(position)) ?? position.offset;
      return;
    }
    if (answer.errorCode !== ErrorCode.none) {
      const action = `read partition ${partition} of topic "${topic}" at offset ${position.offset}`;
      throw new RefusedError(action, answer.errorCode);
    }
    position.end = this.#options.isCommittedOnly ? answer.lastStableOffset : answer.highWatermark;
    const aborted = new AbortedTransactions(answer.abortedTransactions ?? []);
    for (const { batch, header } of readBatches(answer.records ?? new Uint8Array(0))) {
      if (!isIntact(batch, 0, header)) {
        const action = `read the batch at offset ${header.baseOffset} of partition ${partition} of topic "${topic}"`;
        throw new RefusedError(action, ErrorCode.corruptMessage, "its checksum does not match");
      }
      const { isControl, timestampType } = attributesOf(header);
      const isHidden = this.#options.isCommittedOnly && aborted.hides(batch, header);
      if (!isControl && !isHidden) this.#decode(position, batch, timestampType);
      // Past batches without a record to show, too: compacted ones, markers, those of aborted transactions.
      position.offset = header.nextOffset;
    }
  }

  /** A batch may begin before the offset that was asked for. */
  #decode(position: Position, batch: Uint8Array, timestampType: TimestampType): void {
    const { topic, partition, offset } = position;
    for (const record of readRecords(batch, { decompressedBytesMax })) {
      if (record.offset >= offset) position.ready.push({ ...record, topic, partition, timestampType });
    }
  }
}
