import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Consumer, type IHeaders } from "kafkajs";
import { type Compression, compress, decompress } from "#protocol/compression/compression.ts";
import {
  bytesOf,
  type CommandArguments,
  type Commands,
  type JsonRecord,
  runCommands,
} from "./command-loop.ts";

/**
 * Drives kafkajs as its tester says: JSON commands on stdin, one a line, answers on stdout.
 *
 * Usage: kafkajs-driver.ts BOOTSTRAP. ../client-driver.ts has the list of commands.
 */

const decompressedBytesMax = 64 << 20;
const { version } = createRequire(import.meta.url)("kafkajs/package.json") as { version: string };
const topicResource = 2;
const readMsMax = 60_000;

const kafka = new kafkajs.Kafka({
  clientId: "clients",
  brokers: (process.argv[2] ?? "").split(","),
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
});
const admin = kafka.admin({ retry: { retries: 3 } });
const members = new Map<string, { consumer: Consumer; assignment: number[]; values: string[] }>();
const streams = new Map<string, { acknowledged: string[]; isStopped: boolean; done: Promise<void> }>();

// kafkajs has gzip of its own; the others it takes from whoever uses it.
for (const [type, compression] of [
  [kafkajs.CompressionTypes.Snappy, "snappy"],
  [kafkajs.CompressionTypes.LZ4, "lz4"],
  [kafkajs.CompressionTypes.ZSTD, "zstd"],
] as const) {
  kafkajs.CompressionCodecs[type] = () => codec(compression);
}

const compressionTypes: Readonly<Record<string, number>> = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  lz4: kafkajs.CompressionTypes.LZ4,
  zstd: kafkajs.CompressionTypes.ZSTD,
};

const commands: Commands = {
  version: async () => version,
  createTopic: async ({ topic, partitions, config }) => {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    const isNew = await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
    });
    if (!isNew) throw new Error("the topic exists");
  },
  topics: () => admin.listTopics(),
  partitionCount: async ({ topic }) =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length,
  deleteTopic: ({ topic }) => admin.deleteTopics({ topics: [topic] }),
  topicConfig: async ({ topic, name }) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: topicResource, name: topic, configNames: [name] }],
    });
    return resources[0]?.configEntries[0]?.configValue;
  },
  setTopicConfig: ({ topic, name, value }) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: topicResource, name: topic, configEntries: [{ name, value }] }],
    }),
  produce,
  offsetForTime: async ({ topic, partition, timestampMs }) => {
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timestampMs);
    return Number(offsets.find((each) => each.partition === partition)?.offset);
  },
  read,
  join,
  member: async ({ member }) => stateOf(member),
  leave: async ({ member }) => {
    await members.get(member)?.consumer.disconnect();
    return stateOf(member);
  },
  startStream,
  acknowledged: async ({ stream }) => streams.get(stream)?.acknowledged,
  stopStream: async ({ stream }) => {
    const started = streams.get(stream);
    if (started) started.isStopped = true;
    await started?.done;
    return started?.acknowledged;
  },
};

await admin.connect();
await runCommands(commands);

async function produce({ topic, compression, idempotent, records }: CommandArguments): Promise<number[]> {
  const producer = kafka.producer({
    idempotent,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const messages = records.map((record) => ({
    partition: record.partition,
    key: bytesOf(record.key),
    value: bytesOf(record.value),
    headers: grouped(record.headers),
    timestamp: String(record.timestampMs),
  }));
  const sent = await producer.send({
    topic,
    acks: -1,
    compression: compressionTypes[compression] ?? 0,
    messages,
  });
  await producer.disconnect();
  // One batch for each partition, of which only the first offset is told.
  const next = new Map(sent.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
  return records.map(({ partition }) => {
    const offset = next.get(partition) ?? -1;
    next.set(partition, offset + 1);
    return offset;
  });
}

/** kafkajs reads in groups only: one of its own, made to seek. */
async function read({ topic, partition, offset, count }: CommandArguments): Promise<unknown> {
  const consumer = kafka.consumer({ groupId: `reader-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const records: unknown[] = [];
  await consumer.run({
    autoCommit: false,
    eachMessage: async (each) => {
      const { message } = each;
      if (each.partition !== partition || Number(message.offset) < offset) return;
      records.push({
        partition,
        offset: Number(message.offset),
        key: message.key?.toString("base64") ?? null,
        value: message.value?.toString("base64") ?? null,
        headers: ungrouped(message.headers ?? {}),
        timestampMs: Number(message.timestamp),
      });
    },
  });
  consumer.seek({ topic, partition, offset: String(offset) });
  const deadlineMs = performance.now() + readMsMax;
  while (records.length < count && performance.now() < deadlineMs) await sleep(10);
  await consumer.disconnect();
  return records.slice(0, count);
}

async function join({ member, groupId, topic }: CommandArguments): Promise<void> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 6_000,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
  });
  const joined = { consumer, assignment: [] as number[], values: [] as string[] };
  members.set(member, joined);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joined.assignment = (payload.memberAssignment[topic] ?? []).toSorted();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      joined.values.push(String(message.value));
    },
  });
}

function stateOf(member: string): unknown {
  const { assignment = [], values = [] } = members.get(member) ?? {};
  return { assignment, values };
}

async function startStream({ stream, topic, idempotent }: CommandArguments): Promise<void> {
  const producer = kafka.producer({
    idempotent,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const started = { acknowledged: [] as string[], isStopped: false, done: Promise.resolve() };
  streams.set(stream, started);
  const run = async () => {
    for (let number = 0; !started.isStopped; number++) {
      await producer.send({ topic, acks: -1, messages: [{ partition: 0, value: String(number) }] });
      started.acknowledged.push(String(number));
    }
    await producer.disconnect();
  };
  started.done = run();
}

/** Headers as kafkajs has them: values of one name together. */
function grouped(headers: JsonRecord["headers"]): IHeaders {
  const all: Record<string, Buffer[]> = {};
  for (const [name, value] of headers) all[name] = [...(all[name] ?? []), bytesOf(value) ?? Buffer.alloc(0)];
  return all;
}

function ungrouped(headers: IHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, Buffer.from(value).toString("base64")]),
  );
}

function codec(compression: Compression) {
  return {
    compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(compress(compression, buffer)),
    decompress: async (input: Buffer) => Buffer.from(decompress(compression, input, decompressedBytesMax)),
  };
}
