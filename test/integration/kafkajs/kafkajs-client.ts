import kafkajs, { type Admin, type Kafka, type KafkaMessage, type Producer } from "kafkajs";
import { type Compression, compress, decompress } from "#protocol/compression/compression.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";

const decompressedBytesMax = 64 << 20;

/** What kafkajs hands to a codec when it writes. */
interface Encoder {
  readonly buffer: Buffer;
}

/** kafkajs has gzip of its own; the others it takes from whoever uses it. */
function codec(compression: Compression) {
  return () => ({
    compress: async ({ buffer }: Encoder) => Buffer.from(compress(compression, buffer)),
    decompress: async (bytes: Buffer) => Buffer.from(decompress(compression, bytes, decompressedBytesMax)),
  });
}

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = codec("snappy");
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = codec("lz4");
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = codec("zstd");

/** A kafkajs client that logs nothing and retries soon. */
export function connectKafkajs(bootstrapServers: string, options: { retries?: number } = {}): Kafka {
  return new kafkajs.Kafka({
    clientId: "millrace-test",
    brokers: bootstrapServers.split(","),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: options.retries ?? 8 },
  });
}

/** Runs with a connected admin and disconnects it whatever happens. */
export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Runs with a connected producer and disconnects it whatever happens. */
export async function withProducer<T>(
  kafka: Kafka,
  use: (producer: Producer) => Promise<T>,
  options: Parameters<Kafka["producer"]>[0] = {},
): Promise<T> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, ...options });
  await producer.connect();
  try {
    return await use(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Creates a topic of a fresh name. */
export async function createTopic(
  kafka: Kafka,
  options: { partitions?: number; config?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const topic = uniqueName("topic");
  const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }));
  await withAdmin(kafka, (admin) =>
    admin.createTopics({
      topics: [{ topic, numPartitions: options.partitions ?? 1, replicationFactor: 1, configEntries }],
      waitForLeaders: true,
    }),
  );
  return topic;
}

/** Deletes a partition's records before an offset; "-1" means all of them. */
export async function deleteRecords(
  kafka: Kafka,
  { topic, partition, before }: { topic: string; partition: number; before: string },
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    // kafkajs looks the leader up in metadata that only an earlier call for the topic loads.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: before }] });
  });
}

/** A message as it was consumed, with where it came from. */
export type ConsumedMessage = KafkaMessage & { readonly topic: string; readonly partition: number };

/** Consumes a topic from its start, in a group of its own, until `count` messages have come. */
export async function readMessages(
  kafka: Kafka,
  from: { topic: string; count: number; groupId?: string; timeoutMs?: number },
): Promise<ConsumedMessage[]> {
  const consumed: ConsumedMessage[] = [];
  const consumer = kafka.consumer({
    groupId: from.groupId ?? uniqueName("reader"),
    maxWaitTimeInMs: 200,
    // Above the largest batch in these tests: kafkajs asks for this much of each partition.
    maxBytesPerPartition: 4 << 20,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [from.topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        consumed.push({ ...message, topic, partition });
      },
    });
    await waitUntil(
      `${from.count} messages of "${from.topic}"`,
      () => consumed.length >= from.count,
      from.timeoutMs ?? 20_000,
    );
    return consumed;
  } finally {
    await consumer.disconnect();
  }
}

/** The text of a message's value. */
export function text(message: Pick<KafkaMessage, "value">): string | undefined {
  return message.value?.toString();
}
