import pino from "pino";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { batchHeaderBytes, readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { Broker } from "#src/broker.ts";
import type { BrokerConfig } from "#src/config/broker-config.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";
import type { Identity } from "#src/runtime/identity.ts";
import type { ConnectionFacts } from "#src/server/connection.ts";
import { Router } from "#src/server/router.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { seededRandom } from "../storage/seeded-random.ts";
import { FakeClock } from "./runtime/fake-clock.ts";
import { FakeNetwork } from "./runtime/fake-network.ts";

/** What a test's broker runs on; everything has a default. */
export interface WorldOptions {
  readonly files?: FileSystem;
  readonly clock?: FakeClock;
  readonly seed?: number;
  /** Under Kafka's names, on top of small files and one partition. */
  readonly config?: Readonly<Record<string, string>>;
}

const defaults = {
  listeners: "PLAINTEXT://127.0.0.1:9092",
  "log.dirs": "/data",
  "millrace.journal.file.bytes": String(1 << 20),
  "offsets.topic.num.partitions": "1",
  "group.initial.rebalance.delay.ms": "0",
};

/** Configs as a start reads them. @throws where they have problems */
export function configOf(texts: Readonly<Record<string, string>> = {}): BrokerConfig {
  const loaded = loadBrokerConfig({
    args: Object.entries({ ...defaults, ...texts }).map(([name, value]) => `--${name}=${value}`),
    environment: {},
    readFile: () => "",
  });
  if (loaded.kind !== "config") throw new Error(`Cannot load: ${JSON.stringify(loaded)}`);
  return loaded.config;
}

/** Names from a seed. */
export function seededIdentity(seed: number): Identity {
  const random = seededRandom(seed);
  const bytes = (count: number) =>
    Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
  return {
    newUuid: () => `A${bytes(16).toString("base64url").slice(1)}`,
    newMemberSuffix: () => bytes(16).toString("hex"),
    newFraction: () => random(),
  };
}

/** A whole broker over fake time, network and disk, asked through its router. */
export class BrokerWorld implements AsyncDisposable {
  readonly broker: Broker;
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly files: FileSystem;
  /** What the broker gave up for; undefined while it is well. */
  readonly fatal: unknown[];
  readonly connection: ConnectionFacts & { readonly abort: () => void };
  readonly #router: Router;
  #correlationId = 0;

  /** Starts a broker. @throws what `Broker.start` throws */
  static async start(options: WorldOptions = {}): Promise<BrokerWorld> {
    const { clock = new FakeClock(), files = new MemoryFileSystem(), seed = 1 } = options;
    const network = new FakeNetwork();
    const fatal: unknown[] = [];
    const config = configOf(options.config);
    await clock.until(files.makeDirectory(config.logDirectory));
    const broker = await clock.until(
      Broker.start({
        config,
        files,
        ports: { clock, network, identity: seededIdentity(seed) },
        logger: pino({ level: "silent" }),
        onFatal: (error) => fatal.push(error),
      }),
    );
    return new BrokerWorld({ broker, clock, network, files, fatal });
  }

  constructor(parts: {
    broker: Broker;
    clock: FakeClock;
    network: FakeNetwork;
    files: FileSystem;
    fatal: unknown[];
  }) {
    this.broker = parts.broker;
    this.clock = parts.clock;
    this.network = parts.network;
    this.files = parts.files;
    this.fatal = parts.fatal;
    this.connection = connectionFacts();
    this.#router = new Router(parts.broker);
  }

  /** Sends a request and waits for its answer, letting as much time pass as that takes. */
  async call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOutput<A>> {
    return this.clock.until(this.begin(api, version, request));
  }

  /** Sends a request; its answer comes when the test lets time pass. Rejects where the connection would be closed. */
  async begin<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOutput<A>> {
    const answer = await this.answer(api, version, request);
    if (!answer) throw new Error(`${api.name} v${version} was not answered`);
    const { response } = decodeResponseFrame(answer, { api, version });
    return response;
  }

  /** As `begin`, but answers the frame itself, undefined where there is none (acks=0). */
  async answer<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
  ): Promise<Buffer | undefined> {
    const correlationId = ++this.#correlationId;
    const frame = encodeRequestFrame(request, { api, version, correlationId, clientId: "test" });
    const chunks = await this.#router.answer(Buffer.from(frame.subarray(4)), this.connection);
    return chunks && Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).subarray(4);
  }

  async createTopic(
    name: string,
    { partitions = 1, configs = {} }: { partitions?: number; configs?: Record<string, string> } = {},
  ): Promise<number> {
    const { topics } = await this.call(CreateTopics, 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 60_000,
    });
    return topics[0]?.errorCode ?? -1;
  }

  /** Begins to produce one batch. */
  async produce(topic: string, batch: Uint8Array, { acks = -1, partition = 0, version = 9 } = {}) {
    const { responses } = await this.begin(Produce, version, {
      transactionalId: null,
      acks,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
    });
    const answer = responses[0]?.partitionResponses[0];
    if (!answer) throw new Error("Produce was answered without a partition");
    return answer;
  }

  /** Where a partition begins for readers. */
  async startOffset(topic: string, partition = 0): Promise<number> {
    const { topics } = await this.call(ListOffsets, 4, {
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -2 }] }],
    });
    const answer = topics[0]?.partitions[0];
    if (answer?.errorCode !== 0) throw new Error(`ListOffsets was answered with ${answer?.errorCode}`);
    return answer.offset;
  }

  /** All that a partition has from an offset on, in as many fetches as that takes. */
  async read(topic: string, { partition = 0, offset = 0 } = {}) {
    const values: ReturnType<typeof valuesOf> = [];
    for (let at = offset; ; ) {
      const answer = await this.fetch(topic, { partition, offset: at });
      const read = valuesOf(answer.records);
      values.push(...read);
      at = (read.at(-1)?.offset ?? at) + 1;
      if (read.length === 0 || at >= answer.highWatermark) return { ...answer, values };
    }
  }

  /** One fetch of one partition, without waiting. */
  async fetch(topic: string, { partition = 0, offset = 0 } = {}) {
    const { responses } = await this.call(Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1 << 28,
      topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 28 }] }],
    });
    const answer = responses[0]?.partitions[0];
    if (!answer) throw new Error("Fetch was answered without a partition");
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clock.until(this.broker.close());
  }
}

/** A connection that a test can end. */
export function connectionFacts(): ConnectionFacts & { readonly abort: () => void } {
  const closed = new AbortController();
  return {
    id: 1,
    remoteAddress: "10.0.0.1",
    listenerName: "PLAINTEXT",
    closed: closed.signal,
    abort: () => closed.abort(),
  };
}

/** A batch with one record for each value; sequenced where a producer is named. */
export function batchOf(
  values: readonly string[],
  producer: { producerId?: number; producerEpoch?: number; baseSequence?: number; timestampMs?: number } = {},
): Uint8Array {
  const { timestampMs = 1_700_000_000_000, ...sequence } = producer;
  return buildBatch({
    records: values.map((value) => ({ timestampMs, key: null, value: Buffer.from(value) })),
    ...sequence,
  });
}

/** The values of whole batches with their offsets and leader epochs; fails where a checksum is wrong. */
export function valuesOf(
  records: Uint8Array | null,
): { offset: number; value: string; leaderEpoch: number }[] {
  const values: { offset: number; value: string; leaderEpoch: number }[] = [];
  let at = 0;
  while (records && at + batchHeaderBytes <= records.length) {
    const header = readBatchHeader(records, at);
    const batch = records.subarray(at, at + header.sizeBytes);
    if (crc32c(batch.subarray(21)) >>> 0 !== new DataView(batch.buffer, batch.byteOffset).getUint32(17)) {
      throw new Error(`The batch at offset ${header.baseOffset} is damaged`);
    }
    for (const { offset, value } of readRecords(batch, { decompressedBytesMax: 1 << 24 })) {
      values.push({ offset, value: Buffer.from(value ?? "").toString(), leaderEpoch: header.leaderEpoch });
    }
    at += header.sizeBytes;
  }
  return values;
}
