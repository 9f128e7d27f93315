import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil, within } from "../wait-until.ts";
import { connectKafkajs, createTopic, withAdmin, withProducer } from "./kafkajs-client.ts";

const broker = useBroker();
const partitionCount = 6;
const sessionTimeoutMs = 3_000;
const memberProgram = fileURLToPath(new URL("group-member.ts", import.meta.url));

/** A consumer in its own process: what it has now, and all that it ever received. */
class Member implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly received: string[] = [];
  /** Partitions of the last assignment; undefined until the first. */
  assigned: readonly number[] | undefined;
  generations = 0;
  #errors = "";

  constructor(groupId: string, topic: string) {
    this.#child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        memberProgram,
        broker.bootstrapServers,
        groupId,
        topic,
        String(sessionTimeoutMs),
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.#read(line));
    }
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
  }

  async leave(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.assigned = [];
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    await within(`member's end: ${this.#errors}`, exit);
  }

  #read(line: string): void {
    const { assigned, message } = JSON.parse(line) as { assigned?: number[]; message?: string };
    if (assigned) {
      this.assigned = assigned;
      this.generations += 1;
    }
    if (message !== undefined) this.received.push(message);
  }
}

/** Waits until the members share all partitions, each having some and none having another's. */
async function untilShared(members: readonly Member[]): Promise<void> {
  await waitUntil(
    `${members.length} members to share ${partitionCount} partitions`,
    () => {
      const held = members.flatMap(({ assigned }) => [...(assigned ?? [])]);
      return (
        members.every(({ assigned }) => assigned && assigned.length > 0) &&
        held.length === partitionCount &&
        new Set(held).size === partitionCount
      );
    },
    40_000,
  );
}

/** Produces numbered messages to all partitions and waits until members have received every one. */
async function produceAndAwait(
  kafka: Kafka,
  topic: string,
  { from, members }: { from: number; members: readonly Member[] },
): Promise<string[]> {
  const values = Array.from({ length: 60 }, (_, index) => String(from + index));
  await withProducer(kafka, (producer) =>
    producer.send({
      topic,
      messages: values.map((value, index) => ({ value, partition: index % partitionCount })),
    }),
  );
  await waitUntil(`messages ${from} and up`, () => {
    const received = new Set(members.flatMap((member) => member.received));
    return values.every((value) => received.has(value));
  });
  return values;
}

test("members join, leave and die, and every message is processed", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: partitionCount });
  const groupId = uniqueName("group");

  await using first = new Member(groupId, topic);
  await using second = new Member(groupId, topic);
  await untilShared([first, second]);
  await produceAndAwait(kafka, topic, { from: 0, members: [first, second] });

  await using third = new Member(groupId, topic);
  await untilShared([first, second, third]);
  await produceAndAwait(kafka, topic, { from: 100, members: [first, second, third] });
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([groupId]));
  expect(groups[0]).toMatchObject({
    state: "Stable",
    protocol: "RoundRobinAssigner",
    protocolType: "consumer",
  });
  expect(groups[0]?.members).toHaveLength(3);

  await third.leave();
  await untilShared([first, second]);
  await produceAndAwait(kafka, topic, { from: 200, members: [first, second] });

  await second.kill();
  await untilShared([first]);
  await produceAndAwait(kafka, topic, { from: 300, members: [first] });

  // Nothing was lost over four generations, and only what a rebalance interrupted may have come twice.
  const received = [first, second, third].flatMap((member) => member.received);
  expect(new Set(received).size).toBe(240);
});

test("a group of more members than partitions leaves some idle and loses nothing", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 1 });
  const groupId = uniqueName("group");
  const consumers = Array.from({ length: 4 }, () =>
    kafka.consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 200 }),
  );
  const received: string[] = [];
  try {
    for (const consumer of consumers) {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => {
          received.push(message.value?.toString() ?? "");
        },
      });
    }
    await withAdmin(kafka, (admin) =>
      waitUntil("four members", async () => {
        const { groups } = await admin.describeGroups([groupId]);
        return groups[0]?.state === "Stable" && groups[0].members.length === 4;
      }),
    );
    await withProducer(kafka, (producer) =>
      producer.send({
        topic,
        messages: Array.from({ length: 20 }, (_, index) => ({ value: String(index) })),
      }),
    );
    await waitUntil("all messages", () => received.length >= 20);
    expect(received).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  } finally {
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
  }
});

test("a group takes up partitions that its topic gains", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 1 });
  const received: string[] = [];
  const consumer = kafka.consumer({
    groupId: uniqueName("group"),
    metadataMaxAge: 500,
    maxWaitTimeInMs: 100,
    heartbeatInterval: 200,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        received.push(message.value?.toString() ?? "");
      },
    });
    await withAdmin(kafka, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await withProducer(kafka, (producer) =>
      producer.send({
        topic,
        messages: [0, 1, 2].map((partition) => ({ value: String(partition), partition })),
      }),
    );
    await waitUntil("all partitions", () => received.length >= 3, 30_000);
    expect(received.toSorted()).toEqual(["0", "1", "2"]);
  } finally {
    await consumer.disconnect();
  }
});
