import { connect } from "node:net";
import { expect, test } from "vitest";
import { type EmbeddedBroker, startBroker } from "#src/index.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { uniqueName } from "./test-broker.ts";

const config = { "group.initial.rebalance.delay.ms": "0" };

function kafkaOf(broker: EmbeddedBroker) {
  return connectKafkajs(broker.bootstrapServers.join(","));
}

async function roundTrip(broker: EmbeddedBroker, value: string): Promise<string> {
  const kafka = kafkaOf(broker);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value }] }));
  expect((await readMessages(kafka, { topic, count: 1 })).map(text)).toEqual([value]);
  return topic;
}

async function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  return await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

test("a broker in memory serves on a free port of loopback", async () => {
  await using broker = await startBroker({ config });
  expect(broker.bootstrapServers).toHaveLength(1);
  expect(broker.bootstrapServers[0]).toMatch(/^127\.0\.0\.1:\d+$/);
  await roundTrip(broker, "in memory");
});

test("a broker on disk keeps its topics and records over its end", async () => {
  await using directory = await temporaryDirectory();
  const options = { storage: "disk", logDirectory: directory.path, config } as const;
  let topic: string;
  {
    await using broker = await startBroker(options);
    topic = await roundTrip(broker, "kept");
  }
  await using broker = await startBroker(options);
  expect((await readMessages(kafkaOf(broker), { topic, count: 1 })).map(text)).toEqual(["kept"]);
});

test("a disk broker without a directory uses one of its own", async () => {
  await using broker = await startBroker({ storage: "disk", config });
  await roundTrip(broker, "somewhere");
});

test("two brokers side by side know nothing of each other", async () => {
  await using first = await startBroker({ config });
  await using second = await startBroker({ config });
  expect(first.bootstrapServers).not.toEqual(second.bootstrapServers);
  const [ofFirst, ofSecond] = await Promise.all([roundTrip(first, "1"), roundTrip(second, "2")]);
  const topicsOf = (broker: EmbeddedBroker) => withAdmin(kafkaOf(broker), (admin) => admin.listTopics());
  expect(await topicsOf(first)).not.toContain(ofSecond);
  expect(await topicsOf(second)).not.toContain(ofFirst);
});

test("disposal closes listener, connections and directory", async () => {
  await using directory = await temporaryDirectory();
  const options = { storage: "disk", logDirectory: directory.path, config } as const;
  let address = "";
  let idle: ReturnType<typeof connect> | undefined;
  {
    await using broker = await startBroker(options);
    address = broker.bootstrapServers[0] ?? "";
    const [host, port] = address.split(":");
    idle = connect({ host: host ?? "", port: Number(port) });
    await new Promise((resolve) => idle?.once("connect", resolve));
  }
  await new Promise<void>((resolve) => {
    if (idle?.destroyed) resolve();
    else
      idle
        ?.once("close", () => resolve())
        .on("error", () => undefined)
        .resume();
  });
  expect(await accepts(address)).toBe(false);
  await using again = await startBroker(options);
  await roundTrip(again, "the directory is free");
});

test("a directory that another broker of the same process holds is refused", async () => {
  await using directory = await temporaryDirectory();
  const options = { storage: "disk", logDirectory: directory.path, config } as const;
  await using first = await startBroker(options);
  await expect(startBroker(options)).rejects.toThrow(directory.path);
  await roundTrip(first, "unharmed");
});

test("configs are taken, and a wrong one is refused with all its reasons", async () => {
  await using broker = await startBroker({ config: { ...config, "num.partitions": "3" } });
  const topic = uniqueName("topic");
  const metadata = await withAdmin(kafkaOf(broker), async (admin) => {
    await admin.createTopics({ topics: [{ topic }] });
    return await admin.fetchTopicMetadata({ topics: [topic] });
  });
  expect(metadata.topics[0]?.partitions).toHaveLength(3);
  const wrong = startBroker({ config: { "num.partitions": "none", "no.such.config": "1" } });
  await expect(wrong).rejects.toMatchObject({
    problems: expect.arrayContaining([
      expect.stringContaining("num.partitions"),
      expect.stringContaining("no.such.config"),
    ]),
  });
});
