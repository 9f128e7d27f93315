import type { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import {
  connectKafkajs,
  createTopic,
  deleteRecords,
  readMessages,
  withAdmin,
  withProducer,
} from "../kafkajs/kafkajs-client.ts";
import { testConfig, uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { mountSmallDisk, type SmallDiskKind, whyNoSmallDisk } from "./small-disk.ts";

const diskMib = 96;
const valueBytes = 200_000;
const journal = { "millrace.journal.file.bytes": "4194304", "millrace.journal.files.max": "4" };

/** Sends until the disk is full; answers how many were acknowledged and what ended it. */
async function fill(kafka: Kafka, topic: string): Promise<{ acknowledged: number; refusal: unknown }> {
  return await withProducer(kafka, async (producer) => {
    const value = Buffer.alloc(valueBytes, "x");
    for (let acknowledged = 0; acknowledged * valueBytes < 2 * (diskMib << 20); acknowledged++) {
      try {
        await producer.send({ topic, messages: [{ value }] });
      } catch (refusal) {
        return { acknowledged, refusal };
      }
    }
    throw new Error("Cannot fill the disk: twice its size was taken");
  });
}

async function canProduce(kafka: Kafka, topic: string): Promise<boolean> {
  return await withProducer(kafka, (producer) =>
    producer.send({ topic, messages: [{ value: "again" }] }),
  ).then(
    () => true,
    () => false,
  );
}

test.for<[SmallDiskKind]>([["tmpfs"], ["ext4"]])(
  "%s: a full disk refuses produce, serves reads, and takes records again once there is room",
  async ([kind], { skip, onTestFailed }) => {
    const reason = await whyNoSmallDisk(kind);
    if (reason) skip(`no ${kind} can be mounted here: ${reason}`);

    await using disk = await mountSmallDisk(kind, diskMib);
    await using broker = await BrokerProcess.start({
      logDirectory: disk.path,
      config: {
        ...testConfig,
        ...journal,
        "log.segment.delete.delay.ms": "0",
        "log.retention.check.interval.ms": "500",
      },
    });
    onTestFailed(() => console.error(`The broker's log:\n${broker.logTail()}`));
    const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
    const topic = await createTopic(kafka, { config: { "segment.bytes": "1048576" } });

    const { acknowledged, refusal } = await fill(kafka, topic);
    // KAFKA_STORAGE_ERROR is what kafkajs, too, knows as one to try again.
    expect(refusal).toMatchObject({ cause: { type: "KAFKA_STORAGE_ERROR", retriable: true } });
    expect(acknowledged).toBeGreaterThan(50);
    broker.assertAlive();

    expect(await readMessages(kafka, { topic, count: acknowledged, timeoutMs: 60_000 })).toHaveLength(
      acknowledged,
    );
    broker.assertAlive();

    await deleteRecords(kafka, { topic, partition: 0, before: "-1" });
    await waitUntil("room for records again", () => canProduce(kafka, topic), 60_000);

    // What was acknowledged after that survives as always.
    const last = uniqueName("last");
    await withProducer(connectKafkajs(broker.bootstrapServers), (producer) =>
      producer.send({ topic, messages: [{ key: last, value: last }] }),
    );
    const [offsets] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
    const count = Number(offsets?.high) - Number(offsets?.low);
    const kept = await readMessages(kafka, { topic, count });
    expect(kept.at(-1)?.key?.toString()).toBe(last);
  },
);
