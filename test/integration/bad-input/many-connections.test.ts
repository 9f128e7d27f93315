import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectKafkajs, createTopic, readMessages, withProducer } from "../kafkajs/kafkajs-client.ts";
import { externalBootstrapServers, useBroker } from "../test-broker.ts";
import { RawConnection } from "./raw-connection.ts";
import { apiVersionsRequest, fetchRequest, int32 } from "./wire.ts";

const broker = useBroker();

async function openMany(count: number): Promise<AsyncDisposableStack & { connections: RawConnection[] }> {
  const stack = new AsyncDisposableStack();
  const connections: RawConnection[] = [];
  for (let index = 0; index < count; index++) {
    connections.push(stack.use(await RawConnection.open(broker.bootstrapServers)));
  }
  return Object.assign(stack, { connections });
}

async function expectService(): Promise<void> {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "served" }] }));
  expect(await readMessages(kafka, { topic, count: 1 })).toHaveLength(1);
}

test("five hundred idle connections do not keep others from being served", async () => {
  await using many = await openMany(500);
  await expectService();
  for (const connection of many.connections) connection.write(apiVersionsRequest(3));
  for (const connection of many.connections) {
    expect((await connection.response()).readInt32BE(0)).toBe(3);
  }
});

test.skipIf(externalBootstrapServers)(
  "announcing 100 MB and sending little costs the broker little",
  async () => {
    const residentBefore = broker.process.residentBytes();
    await using many = await openMany(100);
    // Ten thousand megabytes are announced; a tenth of a megabyte of each arrives.
    for (const connection of many.connections) connection.write(int32(104_857_600), Buffer.alloc(100_000));
    await expectService();
    await sleep(500);
    const residentAfter = broker.process.residentBytes();
    if (residentBefore !== undefined && residentAfter !== undefined) {
      expect((residentAfter - residentBefore) / 2 ** 20).toBeLessThan(250);
    }
    expect(many.connections.every(({ isClosed }) => !isClosed)).toBe(true);
  },
);

test.skipIf(externalBootstrapServers)("a client that takes no answers does not grow the broker", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  const value = Buffer.alloc(900_000, "a");
  await withProducer(kafka, async (producer) => {
    for (let index = 0; index < 10; index++) await producer.send({ topic, messages: [{ value }] });
  });
  const residentBefore = broker.process.residentBytes();
  await using connection = await RawConnection.open(broker.bootstrapServers);
  connection.stopReading();
  // Each answer is about 9 MB: two hundred of them, were they made at once, would be nearly 2 GB.
  for (let id = 0; id < 200; id++) connection.write(fetchRequest({ topic, offset: 0n, correlationId: id }));
  await sleep(1_500);
  const residentAfter = broker.process.residentBytes();
  if (residentBefore !== undefined && residentAfter !== undefined) {
    expect((residentAfter - residentBefore) / 2 ** 20).toBeLessThan(250);
  }
  await expectService();
});
