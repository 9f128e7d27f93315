import {
  Admin,
  type CompressionAlgorithmValue,
  Consumer,
  type Message,
  type MessageToProduce,
  Producer,
  stringDeserializers,
  stringSerializers,
} from "@platformatic/kafka";
import { uniqueName } from "../test-broker.ts";
import { within } from "../wait-until.ts";

type StringMessage = Message<string, string, string, string>;
export type StringMessageToProduce = MessageToProduce<string, string, string, string>;

function clientOptions(bootstrapServers: string) {
  return {
    clientId: "millrace-platformatic-test",
    bootstrapBrokers: bootstrapServers.split(","),
    retries: 10,
    retryDelay: 100,
    // Where it checks what it reads and is given, it should.
    strict: true,
  };
}

/** Runs with an admin and closes it whatever happens. */
export async function withAdmin<T>(bootstrapServers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(clientOptions(bootstrapServers));
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}

/** Runs with a producer of strings and closes it whatever happens. */
export async function withProducer<T>(
  bootstrapServers: string,
  use: (producer: Producer<string, string, string, string>) => Promise<T>,
  options: { idempotent?: boolean; autocreateTopics?: boolean; compression?: CompressionAlgorithmValue } = {},
): Promise<T> {
  const producer = new Producer({
    ...clientOptions(bootstrapServers),
    ...options,
    serializers: stringSerializers,
  });
  try {
    return await use(producer);
  } finally {
    await producer.close();
  }
}

/** Runs with a consumer of strings and closes it, leaving its group, whatever happens. */
export async function withConsumer<T>(
  bootstrapServers: string,
  use: (consumer: Consumer<string, string, string, string>) => Promise<T>,
  groupId: string = uniqueName("group"),
): Promise<T> {
  const consumer = new Consumer({
    ...clientOptions(bootstrapServers),
    groupId,
    deserializers: stringDeserializers,
    maxWaitTime: 100,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 500,
  });
  try {
    return await use(consumer);
  } finally {
    await consumer.close(true);
  }
}

/** Creates a topic of a fresh name. */
export async function createTopic(
  bootstrapServers: string,
  options: { partitions?: number; configs?: { name: string; value: string }[] } = {},
): Promise<string> {
  const topic = uniqueName("topic");
  const { partitions = 1, configs = [] } = options;
  await withAdmin(bootstrapServers, (admin) =>
    admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }),
  );
  return topic;
}

/** Consumes a topic until `count` messages have come, from its start or from where the group stopped. */
export async function readMessages(
  bootstrapServers: string,
  from: { topic: string; count: number; groupId?: string; mode?: "earliest" | "committed" },
): Promise<StringMessage[]> {
  return await withConsumer(
    bootstrapServers,
    async (consumer) => {
      const stream = await consumer.consume({
        topics: [from.topic],
        mode: from.mode ?? "earliest",
        fallbackMode: "earliest",
        autocommit: false,
      });
      const read = async (): Promise<StringMessage[]> => {
        const messages: StringMessage[] = [];
        for await (const message of stream) {
          messages.push(message);
          if (messages.length >= from.count) break;
        }
        await messages.at(-1)?.commit();
        return messages;
      };
      return await within(`${from.count} messages of "${from.topic}"`, read());
    },
    from.groupId,
  );
}
