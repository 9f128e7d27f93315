import { createRequire } from "node:module";
import {
  Admin,
  type BaseOptions,
  type CompressionAlgorithmValue,
  Consumer,
  type MessageToProduce,
  Producer,
} from "@platformatic/kafka";
import {
  bytesOf,
  type CommandArguments,
  type Commands,
  type JsonRecord,
  runCommands,
} from "./command-loop.ts";

/**
 * Drives @platformatic/kafka as its tester says: JSON commands on stdin, one a line, answers on stdout.
 *
 * Usage: platformatic-driver.ts BOOTSTRAP. ../client-driver.ts has the list of commands.
 */

type Bytes = Buffer | undefined;

const { version } = createRequire(import.meta.resolve("@platformatic/kafka"))("../package.json") as {
  version: string;
};
const topicResource = 2;
const setValue = 0;
const readMsMax = 60_000;

const options: BaseOptions = {
  clientId: "clients",
  bootstrapBrokers: (process.argv[2] ?? "").split(","),
  retries: 100,
  retryDelay: 100,
};
const admin = new Admin({ ...options, retries: 3 });
const members = new Map<string, Member>();
const streams = new Map<string, { acknowledged: string[]; isStopped: boolean; done: Promise<void> }>();

interface Member {
  readonly consumer: Consumer<Bytes, Bytes, Bytes, Bytes>;
  readonly topic: string;
  readonly values: string[];
  failure?: unknown;
}

const commands: Commands = {
  version: () => version,
  createTopic: async ({ topic, partitions, config }) => {
    const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }).catch(tellDeepest);
  },
  topics: () => admin.listTopics(),
  partitionCount: async ({ topic }) =>
    (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitionsCount,
  deleteTopic: ({ topic }) => admin.deleteTopics({ topics: [topic] }),
  topicConfig: async ({ topic, name }) => {
    const resources = [{ resourceType: topicResource, resourceName: topic } as const];
    const asked = { resources, includeSynonyms: false, includeDocumentation: false };
    const [described] = await admin.describeConfigs(asked);
    return described?.configs.find((config) => config.name === name)?.value;
  },
  setTopicConfig: ({ topic, name, value }) => {
    const configs = [{ name, configOperation: setValue, value } as const];
    const resources = [{ resourceType: topicResource, resourceName: topic, configs } as const];
    return admin.incrementalAlterConfigs({ resources });
  },
  produce,
  offsetForTime: async ({ topic, partition, timestampMs }) => {
    const [listed] = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: BigInt(timestampMs) }] }],
    });
    return Number(listed?.partitions[0]?.offset);
  },
  read,
  join,
  member: ({ member }) => stateOf(member),
  leave: async ({ member }) => {
    await members.get(member)?.consumer.close(true);
    return stateOf(member);
  },
  startStream,
  acknowledged: ({ stream }) => streams.get(stream)?.acknowledged,
  stopStream: async ({ stream }) => {
    const started = streams.get(stream);
    if (started) started.isStopped = true;
    await started?.done;
    return started?.acknowledged;
  },
};

await runCommands(commands);

async function produce({ topic, compression, idempotent, records }: CommandArguments): Promise<number[]> {
  const producer = new Producer<Bytes, Bytes, Bytes, Bytes>({ ...options, idempotent });
  try {
    const { offsets = [] } = await producer.send({
      acks: -1,
      compression: compression as CompressionAlgorithmValue,
      messages: records.map((record) => message(topic, record)),
    });
    // One batch for each partition, of which only the first offset is told.
    const next = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
    return records.map(({ partition }) => {
      const offset = next.get(partition) ?? -1;
      next.set(partition, offset + 1);
      return offset;
    });
  } finally {
    await producer.close();
  }
}

function message(topic: string, record: JsonRecord): MessageToProduce<Bytes, Bytes, Bytes, Bytes> {
  const { partition, timestampMs } = record;
  return {
    topic,
    partition,
    key: bytesOf(record.key) ?? undefined,
    value: bytesOf(record.value) ?? undefined,
    headers: new Map(record.headers.map(([name, value]) => [Buffer.from(name), bytesOf(value) ?? undefined])),
    timestamp: BigInt(timestampMs),
  };
}

/** Reads where it is told, though this client joins a group for it too. */
async function read({ topic, partition, offset, count }: CommandArguments): Promise<unknown> {
  const consumer = consumerOf(`reader-${crypto.randomUUID()}`);
  try {
    const offsets = [{ topic, partition, offset: BigInt(offset) }];
    const stream = await consumer.consume({ topics: [topic], mode: "manual", offsets, autocommit: false });
    const records: unknown[] = [];
    const timeout = setTimeout(() => stream.destroy(new Error(`only ${records.length} came`)), readMsMax);
    for await (const each of stream) {
      if (each.partition !== partition) continue;
      records.push({
        partition,
        offset: Number(each.offset),
        key: each.key?.toString("base64") ?? null,
        value: each.value?.toString("base64") ?? null,
        headers: [...each.headers].map(([name, value]) => [String(name), value?.toString("base64") ?? null]),
        timestampMs: Number(each.timestamp),
      });
      if (records.length === count) break;
    }
    clearTimeout(timeout);
    return records;
  } finally {
    await consumer.close(true);
  }
}

async function join({ member, groupId, topic }: CommandArguments): Promise<void> {
  const consumer = consumerOf(groupId);
  const joined: Member = { consumer, topic, values: [] };
  members.set(member, joined);
  const mode = { mode: "committed", fallbackMode: "earliest" } as const;
  const consuming = consumer.consume({ topics: [topic], ...mode, autocommit: true });
  // A rebalance ends only when all members have come: not waited for here.
  consuming.then(
    (stream) => {
      stream.on("data", ({ value }) => joined.values.push(String(value)));
      stream.on("error", (error) => {
        joined.failure = error;
      });
    },
    (error: unknown) => {
      joined.failure = error;
    },
  );
}

function stateOf(member: string): unknown {
  const joined = members.get(member);
  if (joined?.failure) throw joined.failure;
  const assigned = joined?.consumer.assignments?.find(({ topic }) => topic === joined.topic);
  return { assignment: assigned?.partitions.toSorted() ?? [], values: joined?.values ?? [] };
}

function consumerOf(groupId: string): Consumer<Bytes, Bytes, Bytes, Bytes> {
  return new Consumer<Bytes, Bytes, Bytes, Bytes>({
    ...options,
    groupId,
    maxWaitTime: 100,
    sessionTimeout: 6_000,
    rebalanceTimeout: 6_000,
    heartbeatInterval: 200,
  });
}

async function startStream({ stream, topic, idempotent }: CommandArguments): Promise<void> {
  const producer = new Producer<Bytes, Bytes, Bytes, Bytes>({ ...options, idempotent });
  const started = { acknowledged: [] as string[], isStopped: false, done: Promise.resolve() };
  streams.set(stream, started);
  const run = async () => {
    for (let number = 0; !started.isStopped; number++) {
      const value = Buffer.from(String(number));
      await producer.send({ acks: -1, messages: [{ topic, partition: 0, value }] });
      started.acknowledged.push(String(number));
    }
    await producer.close();
  };
  started.done = run();
}

/** Its errors say what happened only at their bottom. */
function tellDeepest(error: unknown): never {
  const inner = error instanceof AggregateError ? error.errors : error instanceof Error ? [error.cause] : [];
  const [deeper] = inner as unknown[];
  if (deeper) tellDeepest(deeper);
  throw error;
}
