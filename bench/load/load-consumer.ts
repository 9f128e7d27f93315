import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { type BatchHeader, readBatches } from "#protocol/records/batch.ts";
import { clientId, correlationId, type LoadConnection } from "./load-connection.ts";

/** The newest version in which topics go by name. */
const fetchVersion = 12;

export interface LoadConsumerOptions {
  readonly connection: LoadConnection;
  readonly topic: string;
  /** Offset to begin at, by partition; undefined for partitions that are not read. */
  readonly offsets: readonly (number | undefined)[];
  /** Told of each batch that came. */
  readonly onBatch: (partition: number, header: BatchHeader) => void;
  /** Whether to ask for more, after each answer. */
  readonly goesOn: () => boolean;
}

/** Bounds of the Java consumer. */
const bounds = { maxWaitMs: 500, minBytes: 1, maxBytes: 50 << 20, partitionMaxBytes: 1 << 20 } as const;

/** Reads a topic forward, asking for more as soon as an answer is here. */
export class LoadConsumer {
  readonly #options: LoadConsumerOptions;
  readonly #offsets: (number | undefined)[];
  readonly #done: Promise<void>;
  #finish: () => void = () => undefined;

  constructor(options: LoadConsumerOptions) {
    this.#options = options;
    this.#offsets = [...options.offsets];
    this.#done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Begins to read; resolves when `goesOn` said no. */
  run(): Promise<void> {
    this.#ask();
    return this.#done;
  }

  #ask(): void {
    const { connection } = this.#options;
    connection.send([this.#encode()], (frame) => {
      this.#take(frame);
      if (this.#options.goesOn()) this.#ask();
      else this.#finish();
    });
  }

  #encode(): Uint8Array {
    const partitions = [];
    for (const [partition, fetchOffset] of this.#offsets.entries()) {
      if (fetchOffset === undefined) continue;
      partitions.push({ partition, fetchOffset, partitionMaxBytes: bounds.partitionMaxBytes });
    }
    return encodeRequestFrame(
      {
        replicaId: -1,
        maxWaitMs: bounds.maxWaitMs,
        minBytes: bounds.minBytes,
        maxBytes: bounds.maxBytes,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [{ topic: this.#options.topic, partitions }],
        forgottenTopicsData: [],
        rackId: "",
      },
      { api: Fetch, version: fetchVersion, correlationId, clientId },
    );
  }

  #take(frame: Buffer): void {
    const { response } = decodeResponseFrame(frame, { api: Fetch, version: fetchVersion });
    if (response.errorCode !== ErrorCode.none) throw new Error(`Cannot fetch: error ${response.errorCode}`);
    for (const { partitionIndex, errorCode, records } of response.responses.flatMap((r) => r.partitions)) {
      if (errorCode !== ErrorCode.none) throw new Error(`Cannot fetch ${partitionIndex}: error ${errorCode}`);
      if (!records) continue;
      const from = this.#offsets[partitionIndex] ?? 0;
      for (const { header } of readBatches(records)) {
        if (header.nextOffset <= from) continue;
        this.#offsets[partitionIndex] = header.nextOffset;
        this.#options.onBatch(partitionIndex, header);
      }
    }
  }
}
