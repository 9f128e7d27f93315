import { expect, test } from "vitest";
import { RawConnection } from "../bad-input/raw-connection.ts";
import { fetchRequest, readFetchResponse } from "../bad-input/wire.ts";
import { BrokerProcess } from "../broker-process.ts";
import { connectKafkajs, createTopic, readMessages, text, withProducer } from "../kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig } from "../test-broker.ts";
import { findText, flipBit, zeroFrom } from "./damage.ts";

const inJournal = (path: string) => path.startsWith("journal");
const inSegments = (path: string) => path.endsWith(".log");
const acceptCorruption = { ...testConfig, "millrace.recovery.accept.corruption": "true" };

/** Writes `count` records, one batch each, whose values begin with "record-000" and so on, and kills the broker. */
async function writeAndKill(
  logDirectory: string,
  { count, valueBytes }: { count: number; valueBytes: number },
): Promise<string> {
  await using broker = await BrokerProcess.start({ logDirectory, config: testConfig });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { config: { "segment.bytes": "1048576" } });
  await withProducer(kafka, async (producer) => {
    for (let number = 0; number < count; number++) {
      await producer.send({ topic, messages: [{ value: marker(number).padEnd(valueBytes, ".") }] });
    }
  });
  await broker.kill();
  return topic;
}

function marker(number: number): string {
  return `record-${String(number).padStart(3, "0")}`;
}

async function only(logDirectory: string, what: string, accepts: (path: string) => boolean) {
  const [place] = await findText(logDirectory, what, accepts);
  if (!place) throw new Error(`Cannot damage "${what}": it is in none of the files`);
  return place;
}

test("a journal damaged in its middle is refused by name, and taken only when told to", async () => {
  await using directory = await temporaryDirectory();
  await writeAndKill(directory.path, { count: 20, valueBytes: 2_000 });
  const place = await only(directory.path, marker(5), inJournal);
  await flipBit(place);

  const { exit, log } = await BrokerProcess.runToExit({ logDirectory: directory.path, config: testConfig });
  expect(exit.code).not.toBe(0);
  expect(log).toContain(place.path);

  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config: acceptCorruption });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "goes on" }] }));
  expect((await readMessages(kafka, { topic, count: 1 })).map(text)).toEqual(["goes on"]);
  // An operator must learn what the way out is, and that it costs something.
  expect(log).toContain("millrace.recovery.accept.corruption");
});

test("a journal torn at its end is cut there, and all before it is served", async () => {
  await using directory = await temporaryDirectory();
  const topic = await writeAndKill(directory.path, { count: 20, valueBytes: 3_000 });
  await zeroFrom(await only(directory.path, marker(19), inJournal));

  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config: testConfig });
  const kafka = connectKafkajs(broker.bootstrapServers);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "after the tear" }] }));
  const messages = await readMessages(kafka, { topic, count: 20 });
  const expected = Array.from({ length: 19 }, (_, number) => marker(number));
  expect(messages.map((message) => text(message)?.slice(0, 10))).toEqual([...expected, "after the "]);
});

test("a damaged sealed segment is refused at the start, or answered with an error and never served", async () => {
  await using directory = await temporaryDirectory();
  const topic = await writeAndKill(directory.path, { count: 40, valueBytes: 100_000 });
  // A clean stop and a second life, so that everything is in segments and checkpointed.
  const again = await BrokerProcess.start({ logDirectory: directory.path, config: testConfig });
  await again.terminate();
  const place = await only(directory.path, marker(3), inSegments);
  await flipBit(place);

  const broker = await BrokerProcess.start({ logDirectory: directory.path, config: testConfig }).catch(
    (refusal: unknown) => {
      expect(String(refusal)).toContain(place.path);
      return undefined;
    },
  );
  if (!broker) return;
  await using running = broker;
  await using connection = await RawConnection.open(running.bootstrapServers);
  connection.write(fetchRequest({ topic, offset: 3n }));
  const damaged = readFetchResponse(await connection.response());
  // 2 is CORRUPT_MESSAGE, 56 KAFKA_STORAGE_ERROR.
  expect(damaged.errorCode).toBeOneOf([2, 56]);
  expect(damaged.records.length).toBe(0);
  // What is intact is served still, on the same partition.
  connection.write(fetchRequest({ topic, offset: 0n, bytesMax: 250_000 }));
  const before = readFetchResponse(await connection.response());
  expect([before.errorCode, before.records.includes(marker(0))]).toEqual([0, true]);
  connection.write(fetchRequest({ topic, offset: 39n }));
  const after = readFetchResponse(await connection.response());
  expect([after.errorCode, after.records.includes(marker(39))]).toEqual([0, true]);
  expect(running.logTail()).toContain(place.path);
});
