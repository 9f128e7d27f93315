import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import {
  createTopic,
  readMessages,
  type StringMessageToProduce,
  withConsumer,
  withProducer,
} from "./platformatic-client.ts";

// This client implements only the newest versions of each API: what kafkajs never sends is proven here.
const broker = useBroker();

function numbered(topic: string, count: number): StringMessageToProduce[] {
  return Array.from({ length: count }, (_, number) => ({ topic, key: `k${number}`, value: `v${number}` }));
}

test("records come back with key, value, headers, timestamp and offset", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  const { offsets } = await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({
      acks: -1,
      messages: [
        { topic, key: "a", value: "1", headers: { h1: "x", h2: "y" }, timestamp: 1_700_000_000_000n },
        { topic, key: "b", value: "2" },
      ],
    }),
  );
  expect(offsets).toEqual([{ topic, partition: 0, offset: 0n }]);
  const [first, second] = await readMessages(broker.bootstrapServers, { topic, count: 2 });
  expect(first).toMatchObject({ key: "a", value: "1", offset: 0n, timestamp: 1_700_000_000_000n });
  expect([...(first?.headers ?? [])]).toEqual([
    ["h1", "x"],
    ["h2", "y"],
  ]);
  expect(second).toMatchObject({ key: "b", value: "2", offset: 1n });
});

test.each([0, 1, -1])("acks=%i is taken", async (acks) => {
  const topic = await createTopic(broker.bootstrapServers);
  await withProducer(broker.bootstrapServers, async (producer) => {
    await producer.send({ acks, messages: [{ topic, value: "first" }] });
    await producer.send({ acks: -1, messages: [{ topic, value: "last" }] });
  });
  const messages = await readMessages(broker.bootstrapServers, { topic, count: 2 });
  expect(messages.map(({ value }) => value)).toEqual(["first", "last"]);
});

test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)(
  "%s batches come back whole",
  async (compression) => {
    const topic = await createTopic(broker.bootstrapServers);
    const sent = numbered(topic, 500);
    await withProducer(broker.bootstrapServers, (producer) =>
      producer.send({ acks: -1, compression, messages: sent }),
    );
    const messages = await readMessages(broker.bootstrapServers, { topic, count: 500 });
    expect(messages.map(({ value }) => value)).toEqual(sent.map(({ value }) => value));
  },
);

test("an idempotent producer's records are stored once, in order", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  await withProducer(
    broker.bootstrapServers,
    async (producer) => {
      for (const message of numbered(topic, 30)) await producer.send({ acks: -1, messages: [message] });
    },
    { idempotent: true },
  );
  const messages = await readMessages(broker.bootstrapServers, { topic, count: 30 });
  expect(messages.map(({ offset, value }) => `${offset} ${value}`)).toEqual(
    Array.from({ length: 30 }, (_, number) => `${number} v${number}`),
  );
});

test("producing to an unknown topic creates it when the client asks for that", async () => {
  const topic = uniqueName("auto");
  await withProducer(
    broker.bootstrapServers,
    (producer) => producer.send({ acks: -1, messages: [{ topic, value: "x" }] }),
    {
      autocreateTopics: true,
    },
  );
  expect(await readMessages(broker.bootstrapServers, { topic, count: 1 })).toHaveLength(1);
});

test("a group goes on after what it committed", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  const groupId = uniqueName("group");
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({ acks: -1, messages: numbered(topic, 10) }),
  );
  await readMessages(broker.bootstrapServers, { topic, count: 4, groupId, mode: "committed" });
  const rest = await readMessages(broker.bootstrapServers, { topic, count: 6, groupId, mode: "committed" });
  expect(rest.map(({ offset }) => offset)).toEqual([4n, 5n, 6n, 7n, 8n, 9n]);
  await withConsumer(
    broker.bootstrapServers,
    async (consumer) => {
      const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] });
      expect(committed.get(topic)).toEqual([10n]);
    },
    groupId,
  );
});

test("two members share the partitions and together get every message", async () => {
  const topic = await createTopic(broker.bootstrapServers, { partitions: 4 });
  const groupId = uniqueName("group");
  const received: [string[], string[]] = [[], []];
  const produce = (prefix: string) =>
    withProducer(broker.bootstrapServers, (producer) =>
      producer.send({
        acks: -1,
        messages: Array.from({ length: 40 }, (_, number) => ({
          topic,
          value: `${prefix}${number}`,
          partition: number % 4,
        })),
      }),
    );
  const receivedOf = (prefix: string) => received.flat().filter((value) => value.startsWith(prefix));
  await withConsumer(
    broker.bootstrapServers,
    async (first) => {
      await withConsumer(
        broker.bootstrapServers,
        async (second) => {
          for (const [index, consumer] of [first, second].entries()) {
            const stream = await consumer.consume({
              topics: [topic],
              mode: "committed",
              fallbackMode: "earliest",
            });
            stream.on("data", ({ value }) => received[index]?.push(value));
          }
          await waitUntil("the members to share", () => {
            const shares = [first, second].map(({ assignments }) => assignments?.[0]?.partitions.length ?? 0);
            return shares[0] === 2 && shares[1] === 2;
          });
          // The first member may have a fetch of all partitions under way still: what that brings, both have.
          await produce("early-");
          await waitUntil("early messages", () => new Set(receivedOf("early-")).size === 40);
          await produce("late-");
          await waitUntil("late messages", () => new Set(receivedOf("late-")).size === 40);
          expect(receivedOf("late-")).toHaveLength(40);
          expect(
            received.map((values) => values.filter((value) => value.startsWith("late-")).length),
          ).toEqual([20, 20]);
        },
        groupId,
      );
    },
    groupId,
  );
});

test("offsets are listed at the start, at the end and by time", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({
      acks: -1,
      messages: [1_000n, 2_000n, 3_000n].map((timestamp) => ({ topic, value: String(timestamp), timestamp })),
    }),
  );
  await withConsumer(broker.bootstrapServers, async (consumer) => {
    const at = async (timestamp: bigint) =>
      (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic);
    expect(await at(-2n)).toEqual([0n]);
    expect(await at(-1n)).toEqual([3n]);
    // -3 asks for the record of the highest time (KIP-734).
    expect(await at(-3n)).toEqual([2n]);
    expect(await at(1_500n)).toEqual([1n]);
    expect(await at(9_999n)).toEqual([-1n]);
    const timed = await consumer.listOffsetsWithTimestamps({ topics: [topic], timestamp: 1_500n });
    expect(timed.get(topic)?.get(0)).toEqual({ offset: 1n, timestamp: 2_000n });
  });
});

test("consuming starts at an offset found by time", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  await withProducer(broker.bootstrapServers, async (producer) => {
    for (const timestamp of [1_000n, 2_000n, 3_000n, 4_000n]) {
      await producer.send({ acks: -1, messages: [{ topic, value: String(timestamp), timestamp }] });
    }
  });
  await withConsumer(broker.bootstrapServers, async (consumer) => {
    const offset =
      (await consumer.listOffsets({ topics: [topic], timestamp: 2_500n })).get(topic)?.[0] ?? -1n;
    const stream = await consumer.consume({
      topics: [topic],
      mode: "manual",
      offsets: [{ topic, partition: 0, offset }],
    });
    const values: string[] = [];
    stream.on("data", ({ value }) => values.push(value));
    await waitUntil("the later messages", () => values.length >= 2);
    expect(values).toEqual(["3000", "4000"]);
  });
});

test("lag is the distance from what was committed to the end", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  const groupId = uniqueName("group");
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({ acks: -1, messages: numbered(topic, 10) }),
  );
  await withConsumer(
    broker.bootstrapServers,
    async (consumer) => {
      const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: true });
      let seen = 0;
      stream.on("data", () => {
        seen += 1;
      });
      await waitUntil("all messages", () => seen === 10);
      await waitUntil(
        "no lag",
        async () => (await consumer.getLag({ topics: [topic] })).get(topic)?.[0] === 0n,
      );
    },
    groupId,
  );
});
