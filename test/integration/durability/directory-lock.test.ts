import { expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import { connectKafkajs, createTopic, readMessages, withProducer } from "../kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig } from "../test-broker.ts";

test("a second process on the same directory is refused, and the first goes on", async () => {
  await using directory = await temporaryDirectory();
  await using first = await BrokerProcess.start({ logDirectory: directory.path, config: testConfig });
  const second = await BrokerProcess.runToExit({ logDirectory: directory.path, config: testConfig });
  expect(second.exit.code).not.toBe(0);
  expect(second.log).toContain(directory.path);

  const kafka = connectKafkajs(first.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "still here" }] }));
  expect(await readMessages(kafka, { topic, count: 1 })).toHaveLength(1);
});

test("the directory is free again after a crash", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config: testConfig });
  await broker.kill();
  await broker.start();
  expect(await broker.terminate()).toEqual({ code: 0, signal: null });
});

test("of several processes that start at once, one gets the directory", async () => {
  await using directory = await temporaryDirectory();
  const starts = await Promise.allSettled(
    [1, 2, 3].map(() => BrokerProcess.start({ logDirectory: directory.path, config: testConfig })),
  );
  const started = starts.filter((start) => start.status === "fulfilled").map(({ value }) => value);
  try {
    expect(started).toHaveLength(1);
  } finally {
    for (const broker of started) await broker[Symbol.asyncDispose]();
  }
});
