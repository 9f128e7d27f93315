import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { readBatches } from "#protocol/records/batch.ts";
import { type DecodedRecord, readRecords } from "#protocol/records/record.ts";
import { RawConnection } from "../bad-input/raw-connection.ts";
import { fetchRequest, readFetchResponse } from "../bad-input/wire.ts";
import { BrokerProcess } from "../broker-process.ts";
import {
  connectKafkajs,
  createTopic,
  deleteRecords,
  withAdmin,
  withProducer,
} from "../kafkajs/kafkajs-client.ts";
import { testConfig, uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { mountSmallDisk, type SmallDisk, type SmallDiskKind, whyNoSmallDisk } from "./small-disk.ts";

const diskMib = 96;
const valueBytes = 200_000;
const config = {
  ...testConfig,
  "millrace.journal.file.bytes": "4194304",
  "millrace.journal.files.max": "4",
  "log.retention.check.interval.ms": "500",
} as const;

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

const ballastOf = ({ path }: SmallDisk): string => join(path, "ballast");

/** Leaves no block free, as another program on the same disk may. */
function fillToTheLastByte(disk: SmallDisk): void {
  const file = openSync(ballastOf(disk), "w");
  for (let sizeBytes = 1 << 20; sizeBytes >= 512; ) {
    try {
      writeSync(file, Buffer.alloc(sizeBytes));
    } catch {
      sizeBytes /= 2;
    }
  }
  closeSync(file);
}

async function canProduce(kafka: Kafka, topic: string): Promise<boolean> {
  return await withProducer(kafka, (producer) =>
    producer.send({ topic, messages: [{ value: "again" }] }),
  ).then(
    () => true,
    () => false,
  );
}

/** Values of a topic's only partition, fetched without a group: a group would have to write where there is no room. */
async function fetchAll(bootstrapServers: string, topic: string, from: bigint): Promise<DecodedRecord[]> {
  await using connection = await RawConnection.open(bootstrapServers);
  const records: DecodedRecord[] = [];
  for (let offset = from; ; ) {
    connection.write(fetchRequest({ topic, offset }));
    const answer = readFetchResponse(await connection.response());
    expect(answer.errorCode).toBe(0);
    for (const { batch } of readBatches(answer.records)) {
      records.push(...readRecords(batch, { decompressedBytesMax: 0 }));
    }
    offset = BigInt((records.at(-1)?.offset ?? -1) + 1);
    if (offset >= answer.highWatermark) return records;
  }
}

test.for<[SmallDiskKind]>([["tmpfs"], ["ext4"]])(
  "%s: a full disk refuses produce, serves reads, and takes records again once there is room",
  async ([kind], { skip, onTestFailed }) => {
    const reason = await whyNoSmallDisk(kind);
    if (reason) skip(`no ${kind} can be mounted here: ${reason}`);

    await using disk = await mountSmallDisk(kind, diskMib);
    await using broker = await BrokerProcess.start({ logDirectory: disk.path, config });
    onTestFailed(() => console.error(`The broker's log:\n${broker.logTail(10)}`));
    const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
    const topic = await createTopic(kafka, { config: { "segment.bytes": "1048576" } });

    const { acknowledged, refusal } = await fill(kafka, topic);
    // KAFKA_STORAGE_ERROR is what kafkajs, too, knows as one to try again.
    expect(refusal).toMatchObject({ cause: { type: "KAFKA_STORAGE_ERROR", retriable: true } });
    expect(acknowledged).toBeGreaterThan(50);
    broker.assertAlive();

    const kept = await fetchAll(broker.bootstrapServers, topic, 0n);
    expect(kept.length).toBeGreaterThanOrEqual(acknowledged);
    expect(kept.every(({ value }) => value?.length === valueBytes)).toBe(true);

    await deleteRecords(kafka, { topic, partition: 0, before: "-1" });
    await waitUntil("room for records again", () => canProduce(kafka, topic), 30_000);

    // What is acknowledged after that survives as always.
    await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "last" }] }));
    await broker.kill();
    await broker.start();
    const [offsets] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
    const rest = await fetchAll(broker.bootstrapServers, topic, BigInt(offsets?.low ?? 0));
    expect(Buffer.from(rest.at(-1)?.value ?? []).toString()).toBe("last");
  },
);

test.for<[SmallDiskKind]>([["tmpfs"], ["ext4"]])(
  "%s: a node starts on a disk that others have filled to the last byte, and serves what it has",
  async ([kind], { skip, onTestFailed }) => {
    const reason = await whyNoSmallDisk(kind);
    if (reason) skip(`no ${kind} can be mounted here: ${reason}`);

    await using disk = await mountSmallDisk(kind, diskMib);
    await using broker = await BrokerProcess.start({ logDirectory: disk.path, config });
    onTestFailed(() => console.error(`The broker's log:\n${broker.logTail(10)}`));
    const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
    const topic = await createTopic(kafka, { config: { "segment.bytes": "1048576" } });
    const messages = [{ value: Buffer.alloc(valueBytes, "x") }];
    const count = 40;
    await withProducer(kafka, async (producer) => {
      for (let i = 0; i < count; i++) await producer.send({ topic, messages });
    });
    await broker.kill();
    fillToTheLastByte(disk);

    await broker.start();
    expect(await fetchAll(broker.bootstrapServers, topic, 0n)).toHaveLength(count);
    expect(await canProduce(kafka, topic)).toBe(false);
    broker.assertAlive();
    rmSync(ballastOf(disk));
    await waitUntil("room for records again", () => canProduce(kafka, topic), 30_000);
    const rest = await fetchAll(broker.bootstrapServers, topic, BigInt(count));
    expect(rest.map(({ value }) => Buffer.from(value ?? []).toString())).toContain("again");
  },
);

test("what needs room on a full disk is refused, and the broker lives", async ({ skip, onTestFailed }) => {
  const reason = await whyNoSmallDisk("ext4");
  if (reason) skip(`no ext4 can be mounted here: ${reason}`);

  await using disk = await mountSmallDisk("ext4", diskMib);
  await using broker = await BrokerProcess.start({ logDirectory: disk.path, config });
  onTestFailed(() => console.error(`The broker's log:\n${broker.logTail(10)}`));
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 0 });
  const topic = await createTopic(kafka, { config: { "segment.bytes": "1048576" } });
  await fill(kafka, topic);

  // A hundred directories need more than what a full disk may have left; so does the first group's topic.
  await withAdmin(kafka, async (admin) => {
    const creation = admin.createTopics({
      topics: [{ topic: uniqueName("topic"), numPartitions: 100 }],
      timeout: 5_000,
    });
    await creation.catch(() => undefined);
    broker.assertAlive();
    const commit = admin.fetchOffsets({ groupId: uniqueName("group"), topics: [topic] });
    await commit.catch(() => undefined);
    broker.assertAlive();
    // The way out: a topic can be deleted.
    await admin.deleteTopics({ topics: [topic] });
  });
  const after = await waitUntil(
    "room for a new topic",
    () => createTopic(kafka).catch(() => undefined),
    30_000,
  );
  await waitUntil("room for records again", () => canProduce(kafka, after), 30_000);
});
