import type { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  text,
  withAdmin,
  withProducer,
} from "./kafkajs-client.ts";

const broker = useBroker();

/** A partition with the values "0" to "9", one batch each, a second apart from `firstTimestampMs` on. */
async function timedTopic(kafka: Kafka): Promise<string> {
  const topic = await createTopic(kafka);
  await withProducer(kafka, async (producer) => {
    for (let number = 0; number < 10; number++) {
      const timestamp = String(firstTimestampMs + number * 1_000);
      await producer.send({ topic, messages: [{ value: String(number), timestamp }] });
    }
  });
  return topic;
}

const firstTimestampMs = 1_700_000_000_000;

test("offsets are found by time: of the first record at or after it", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await timedTopic(kafka);
  await withAdmin(kafka, async (admin) => {
    const offsetAt = async (timestampMs: number) =>
      (await admin.fetchTopicOffsetsByTimestamp(topic, timestampMs))[0]?.offset;
    expect(await offsetAt(firstTimestampMs - 1)).toBe("0");
    expect(await offsetAt(firstTimestampMs)).toBe("0");
    expect(await offsetAt(firstTimestampMs + 1)).toBe("1");
    expect(await offsetAt(firstTimestampMs + 5_000)).toBe("5");
    // Nothing is that late: kafkajs then answers the end.
    expect(await offsetAt(firstTimestampMs + 9_001)).toBe("10");
  });
});

test("a group's offsets are set and reset by an admin, and its next member obeys", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await timedTopic(kafka);
  const setGroup = uniqueName("set");
  const resetGroup = uniqueName("reset");
  for (const groupId of [setGroup, resetGroup]) await readMessages(kafka, { topic, count: 10, groupId });

  await withAdmin(kafka, async (admin) => {
    expect(await admin.fetchOffsets({ groupId: setGroup, topics: [topic] })).toMatchObject([
      { partitions: [{ offset: "10" }] },
    ]);
    // kafkajs joins the group to do this and takes seconds to leave it: both at once.
    await Promise.all([
      admin.setOffsets({ groupId: setGroup, topic, partitions: [{ partition: 0, offset: "4" }] }),
      withAdmin(kafka, (other) => other.resetOffsets({ groupId: resetGroup, topic, earliest: true })),
    ]);
  });
  const afterSet = await readMessages(kafka, { topic, count: 6, groupId: setGroup });
  expect(afterSet.map(text)).toEqual(["4", "5", "6", "7", "8", "9"]);
  expect(await readMessages(kafka, { topic, count: 10, groupId: resetGroup })).toHaveLength(10);
});

test("offsets of a group that never committed are unknown, not an error", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  const offsets = await withAdmin(kafka, (admin) =>
    admin.fetchOffsets({ groupId: uniqueName("nobody"), topics: [topic] }),
  );
  expect(offsets).toHaveLength(1);
  expect(offsets[0]?.partitions.map(({ offset }) => offset)).toEqual(["-1", "-1"]);
});

test("all offsets of a group are answered when no topic is named", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const first = await timedTopic(kafka);
  const second = await timedTopic(kafka);
  const groupId = uniqueName("group");
  await readMessages(kafka, { topic: first, count: 10, groupId });
  await readMessages(kafka, { topic: second, count: 10, groupId });
  const offsets = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId }));
  expect(offsets.map(({ topic }) => topic).toSorted()).toEqual([first, second].toSorted());
  expect(offsets.every(({ partitions }) => partitions[0]?.offset === "10")).toBe(true);
});
