import { createRequire } from "node:module";
import { Bench } from "tinybench";
import { Reader } from "#protocol/bytes/reader.ts";
import { Writer } from "#protocol/bytes/writer.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { Api, RequestInput, ResponseOf } from "#protocol/schema/api.ts";

/** One direction of one message, by us and by a client library; both must do the same work. */
interface Contest {
  readonly name: string;
  readonly peer: "kafkajs" | "platformatic";
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
}

const topicCount = 10;
const partitionCount = 10;
const records = Buffer.alloc(1_100, 7);
const topicNames = Array.from({ length: topicCount }, (_, index) => `some-topic-${index}`);
const partitions = Array.from({ length: partitionCount }, (_, index) => index);
const topicId = Buffer.alloc(16, 5).toString("base64url");
const topicIdDashed = "05050505-0505-0505-0505-050505050505";

const require = createRequire(import.meta.url);

/** Encodes requests and decodes responses, what a client does, beside kafkajs and @platformatic/kafka. */
export async function run(): Promise<void> {
  const contests = [...kafkajsContests(), ...(await platformaticContests())];
  const bench = new Bench({ time: 250, warmupTime: 100 });
  for (const { name, peer, ours, theirs } of contests) {
    bench.add(`${name}: millrace`, () => void ours());
    // kafkajs's codecs return promises; waiting for them is part of what they cost.
    if (peer === "kafkajs") bench.add(`${name}: ${peer}`, async () => void (await theirs()));
    else bench.add(`${name}: ${peer}`, () => void theirs());
  }
  await bench.run();
  console.log(
    `\n${topicCount} topics of ${partitionCount} partitions, records of ${records.length} bytes per partition`,
  );
  console.table(
    contests.map(({ name, peer }) => {
      const ours = throughput(bench, `${name}: millrace`);
      const theirs = throughput(bench, `${name}: ${peer}`);
      return {
        message: name,
        "millrace/s": Math.round(ours),
        peer,
        "peer/s": Math.round(theirs),
        ratio: (ours / theirs).toFixed(1),
      };
    }),
  );
}

function throughput(bench: Bench, name: string): number {
  const result = bench.getTask(name)?.result;
  if (result?.state !== "completed") throw new Error(`Cannot measure "${name}": ${result?.state}`);
  return result.throughput.mean;
}

function kafkajsContests(): Contest[] {
  const requests = "kafkajs/src/protocol/requests";
  const Encoder = require("kafkajs/src/protocol/encoder") as KafkajsEncoderClass;
  const fetchRequest = require(`${requests}/fetch/v11/request`) as KafkajsRequest;
  const fetchResponse = require(`${requests}/fetch/v11/response`) as KafkajsResponse;
  const metadataRequest = require(`${requests}/metadata/v6/request`) as KafkajsRequest;
  const metadataResponse = require(`${requests}/metadata/v6/response`) as KafkajsResponse;
  const produceResponse = require(`${requests}/produce/v7/response`) as KafkajsResponse;
  const fetchInput = {
    ...{ replicaId: -1, maxWaitTime: 500, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 1, rackId: "" },
    topics: topicNames.map((topic) => ({
      topic,
      partitions: partitions.map((partition) => ({ partition, fetchOffset: 1_000_000, maxBytes: 1 << 20 })),
    })),
  };
  return [
    // Their request builds record batches too, so here its steps are taken with batches that exist already.
    contest("kafkajs", "Produce v7 request", encodes(Produce, produceRequest(), 7), () =>
      new Encoder()
        .writeString(null)
        .writeInt16(-1)
        .writeInt32(30_000)
        .writeArray(topicNames.map((topic) => kafkajsProduceTopic(Encoder, topic))),
    ),
    contest("kafkajs", "Fetch v11 request", encodes(Fetch, fetchRequestOf("topic"), 11), () =>
      fetchRequest(fetchInput).encode(),
    ),
    contest("kafkajs", "Metadata v6 request", encodes(Metadata, metadataRequestOf(), 6), () =>
      metadataRequest({ topics: topicNames }).encode(),
    ),
    decodeContest("kafkajs", "Produce v7 response", Produce, produceResponseOf(), 7, produceResponse.decode),
    decodeContest("kafkajs", "Fetch v11 response", Fetch, fetchResponseOf("topic"), 11, fetchResponse.decode),
    decodeContest(
      "kafkajs",
      "Metadata v6 response",
      Metadata,
      metadataResponseOf(),
      6,
      metadataResponse.decode,
    ),
  ];
}

async function platformaticContests(): Promise<Contest[]> {
  const dist = new URL("./", import.meta.resolve("@platformatic/kafka"));
  const load = async (path: string) => await import(new URL(path, dist).href);
  const { Writer: PeerWriter } = (await load("protocol/writer.js")) as { Writer: PlatformaticWriterClass };
  const { Reader: PeerReader } = (await load("protocol/reader.js")) as { Reader: PlatformaticReaderClass };
  const produce = (await load("apis/producer/produce-v11.js")) as PlatformaticCodec;
  const fetch = (await load("apis/consumer/fetch-v17.js")) as PlatformaticCodec;
  const metadata = (await load("apis/metadata/metadata-v12.js")) as PlatformaticCodec;
  const fetchTopics = topicNames.map(() => ({
    topicId: topicIdDashed,
    partitions: partitions.map((partition) => ({
      ...{ partition, currentLeaderEpoch: -1, fetchOffset: 1_000_000n, lastFetchedEpoch: -1 },
      partitionMaxBytes: 1 << 20,
    })),
  }));
  const parse = (codec: PlatformaticCodec, api: Api, version: number) => (bytes: Buffer) =>
    codec.parseResponse(0, api.key, version, PeerReader.from(bytes));
  return [
    contest("platformatic", "Produce v11 request", encodes(Produce, produceRequest(), 11), () =>
      PeerWriter.create()
        .appendString(null)
        .appendInt16(-1)
        .appendInt32(30_000)
        .appendArray(topicNames, (writer, topic) => {
          writer.appendString(topic).appendArray(partitions, (inner, partition) => {
            inner
              .appendInt32(partition)
              .appendUnsignedVarInt(records.length + 1)
              .append(records);
          });
        })
        .appendTaggedFields(),
    ),
    contest("platformatic", "Fetch v17 request", encodes(Fetch, fetchRequestOf("topicId"), 17), () =>
      fetch.createRequest(500, 1, 1 << 20, 1, 0, -1, fetchTopics, [], ""),
    ),
    contest("platformatic", "Metadata v12 request", encodes(Metadata, metadataRequestOf(), 12), () =>
      metadata.createRequest(topicNames, true, false),
    ),
    ...(
      [
        ["Produce v11 response", Produce, produceResponseOf(), 11, parse(produce, Produce, 11)],
        ["Fetch v17 response", Fetch, fetchResponseOf("topicId"), 17, parse(fetch, Fetch, 17)],
        ["Metadata v12 response", Metadata, metadataResponseOf(), 12, parse(metadata, Metadata, 12)],
      ] as const
    ).map(([name, api, response, version, theirs]) =>
      decodeContest("platformatic", name, api as Api, response, version, theirs),
    ),
  ];
}

function contest(peer: Contest["peer"], name: string, ours: () => unknown, theirs: () => unknown): Contest {
  return { peer, name, ours, theirs };
}

function decodeContest<A extends Api>(
  peer: Contest["peer"],
  name: string,
  api: A,
  response: ResponseOf<A>,
  version: number,
  theirs: (bytes: Buffer) => unknown,
): Contest {
  const writer = new Writer();
  api.response.encode(writer, response, version);
  const bytes = Buffer.from(writer.toBytes());
  return contest(
    peer,
    name,
    () => api.response.decode(new Reader(bytes), version),
    () => theirs(bytes),
  );
}

function encodes<A extends Api>(api: A, request: RequestInput<A>, version: number): () => unknown {
  return () => {
    const writer = new Writer();
    api.request.encode(writer, request, version);
    return writer.finish();
  };
}

function produceRequest(): RequestInput<typeof Produce> {
  return {
    acks: -1,
    timeoutMs: 30_000,
    topicData: topicNames.map((name) => ({
      name,
      partitionData: partitions.map((index) => ({ index, records })),
    })),
  };
}

function produceResponseOf(): ResponseOf<typeof Produce> {
  return {
    responses: topicNames.map((name) => ({
      name,
      partitionResponses: partitions.map((index) => ({
        ...{ index, errorCode: 0, baseOffset: 1_000_000, logAppendTimeMs: -1, logStartOffset: 0 },
      })),
    })),
  };
}

function fetchRequestOf(key: "topic" | "topicId"): RequestInput<typeof Fetch> {
  return {
    ...{ maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 1 },
    topics: topicNames.map((topic) => ({
      ...(key === "topic" ? { topic } : { topicId }),
      partitions: partitions.map((partition) => ({
        ...{ partition, fetchOffset: 1_000_000, partitionMaxBytes: 1 << 20 },
      })),
    })),
  };
}

/** Record sets are empty: only ours leaves them undecoded. */
function fetchResponseOf(key: "topic" | "topicId"): ResponseOf<typeof Fetch> {
  return {
    responses: topicNames.map((topic) => ({
      ...(key === "topic" ? { topic } : { topicId }),
      partitions: partitions.map((partitionIndex) => ({
        ...{ partitionIndex, errorCode: 0, highWatermark: 1_000_000, lastStableOffset: 1_000_000 },
        ...{ logStartOffset: 0, abortedTransactions: [] },
      })),
    })),
  };
}

function metadataRequestOf(): RequestInput<typeof Metadata> {
  return { topics: topicNames.map((name) => ({ name })), allowAutoTopicCreation: true };
}

function metadataResponseOf(): ResponseOf<typeof Metadata> {
  return {
    ...{ clusterId: topicId, controllerId: 1 },
    brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: `broker-${nodeId}.example.org`, port: 9092 })),
    topics: topicNames.map((name) => ({
      ...{ errorCode: 0, name, topicId },
      partitions: partitions.map((partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 5 },
        ...{ replicaNodes: [1, 2, 3], isrNodes: [1, 2, 3], offlineReplicas: [] },
      })),
    })),
  };
}

function kafkajsProduceTopic(Encoder: KafkajsEncoderClass, topic: string): KafkajsEncoder {
  const encoded = partitions.map((partition) =>
    new Encoder().writeInt32(partition).writeInt32(records.length).writeBuffer(records),
  );
  return new Encoder().writeString(topic).writeArray(encoded);
}

type KafkajsRequest = (input: object) => { encode(): Promise<unknown> };
type KafkajsResponse = { decode(bytes: Buffer): Promise<unknown> };

interface KafkajsEncoder {
  writeString(value: string | null): KafkajsEncoder;
  writeInt16(value: number): KafkajsEncoder;
  writeInt32(value: number): KafkajsEncoder;
  writeBuffer(value: Buffer): KafkajsEncoder;
  writeArray(value: readonly KafkajsEncoder[]): KafkajsEncoder;
}

type KafkajsEncoderClass = new () => KafkajsEncoder;

interface PlatformaticWriter {
  append(value: Buffer): PlatformaticWriter;
  appendString(value: string | null): PlatformaticWriter;
  appendInt16(value: number): PlatformaticWriter;
  appendInt32(value: number): PlatformaticWriter;
  appendUnsignedVarInt(value: number): PlatformaticWriter;
  appendArray<T>(
    values: readonly T[],
    write: (writer: PlatformaticWriter, value: T) => void,
  ): PlatformaticWriter;
  appendTaggedFields(): PlatformaticWriter;
}

type PlatformaticWriterClass = { create(): PlatformaticWriter };
type PlatformaticReaderClass = { from(bytes: Buffer): object };
interface PlatformaticCodec {
  createRequest(...values: readonly unknown[]): unknown;
  parseResponse(correlationId: number, apiKey: number, apiVersion: number, reader: object): unknown;
}

if (import.meta.main) await run();
