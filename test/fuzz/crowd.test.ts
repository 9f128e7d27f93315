import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { ask } from "../integration/ask.ts";
import { RawConnection } from "../integration/bad-input/raw-connection.ts";
import {
  apiVersionsRequest,
  fetchRequest,
  int32,
  metadataRequest,
  produceRequest,
  readFetchResponse,
  readProduceResponse,
} from "../integration/bad-input/wire.ts";
import { useBroker } from "../integration/test-broker.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { Canary } from "./canary.ts";

const mebibyte = 2 ** 20;
const filesMax = Number(spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).stdout) || Infinity;

const broker = useBroker();
const impatient = useBroker({ "connections.max.idle.ms": "1000" });

// Whatever the crowd does, one client goes on producing and fetching beside it.
let canary: Canary;
beforeAll(async () => {
  canary = new Canary(broker.bootstrapServers);
  await canary.start();
});
type Crowd = AsyncDisposableStack & { readonly connections: readonly RawConnection[] };

async function crowd(count: number, bootstrapServers = broker.bootstrapServers): Promise<Crowd> {
  const stack = new AsyncDisposableStack();
  const connections: RawConnection[] = [];
  while (connections.length < count) {
    const more = Array.from({ length: Math.min(100, count - connections.length) }, () =>
      RawConnection.open(bootstrapServers),
    );
    for (const connection of await Promise.all(more)) connections.push(stack.use(connection));
  }
  return Object.assign(stack, { connections });
}

/** How many MiB the broker holds more while and after `act` runs; 0 where that cannot be seen. */
async function grownMebibytes(act: () => Promise<void>): Promise<number> {
  const before = broker.process.residentBytes();
  await act();
  const after = broker.process.residentBytes();
  canary.check();
  const grown = before === undefined || after === undefined ? 0 : (after - before) / mebibyte;
  console.info(`${expect.getState().currentTestName}: ${grown.toFixed(0)} MiB more`);
  return grown;
}

const idleCount = 5_000;
const manyTest = test.skipIf(filesMax < idleCount + 500);
if (filesMax < idleCount + 500) console.warn(`Skipping ${idleCount} connections: ${filesMax} open files`);

manyTest("five thousand idle connections cost little and are all served", async () => {
  await using idle = await crowd(0);
  const grown = await grownMebibytes(async () => {
    const many = idle.use(await crowd(idleCount));
    for (const connection of many.connections) connection.write(apiVersionsRequest(3));
    for (const connection of many.connections) {
      expect((await connection.response()).readInt32BE(0)).toBe(3);
    }
    await sleep(500);
  });
  expect(grown).toBeLessThan(200);
});

test("a thousand clients that announce 100 MB and send none of it cost nearly nothing", async () => {
  await using announcing = await crowd(1_000);
  const grown = await grownMebibytes(async () => {
    for (const connection of announcing.connections) connection.write(int32(104_857_600));
    await sleep(1_000);
  });
  expect(grown).toBeLessThan(100);
  expect(announcing.connections.every(({ isClosed }) => !isClosed)).toBe(true);
});

test("fifty clients that ask for much and take none of it hold a bounded share", async () => {
  await using slow = await crowd(50);
  await using producer = await RawConnection.open(broker.bootstrapServers);
  const topic = "much";
  const request = { topics: [{ name: topic, numPartitions: 1, replicationFactor: 1 }], timeoutMs: 10_000 };
  await ask(broker.bootstrapServers, CreateTopics, { version: 5, request });
  const value = Buffer.alloc(900_000, "a");
  for (let count = 0; count < 20; count++) {
    producer.write(
      produceRequest({ topic, records: buildBatch({ records: [{ timestampMs: 1, key: null, value }] }) }),
    );
    expect(readProduceResponse(await producer.response()).errorCode).toBe(0);
  }
  const grown = await grownMebibytes(async () => {
    for (const connection of slow.connections) {
      connection.stopReading();
      // Ten answers of 10 MB each: 5 GB over all of them, were they made at once.
      for (let id = 0; id < 10; id++)
        connection.write(fetchRequest({ topic, offset: 0n, correlationId: id }));
    }
    await sleep(3_000);
  });
  expect(grown).toBeLessThan(700);
  // One that reads is served what they asked for.
  producer.write(fetchRequest({ topic, offset: 0n }));
  expect(readFetchResponse(await producer.response()).records.length).toBeGreaterThan(9 * mebibyte);
});

test("two hundred clients that send most of 10 MB each hold the bound of requests in memory, not more", async () => {
  await using sending = await crowd(200);
  const grown = await grownMebibytes(async () => {
    const begun = Buffer.alloc(9 * mebibyte);
    begun.writeInt32BE(10 * mebibyte);
    for (const connection of sending.connections) connection.write(begun);
    await sleep(2_000);
  });
  // They sent 1,800 MiB. The bound of what is held is 256 MiB; growing frames leaves copies to be collected.
  expect(grown).toBeLessThan(800);
});

test("a request that trickles in byte by byte from many is answered to each", async () => {
  await using trickling = await crowd(200);
  for (const byte of apiVersionsRequest(4)) {
    for (const connection of trickling.connections) connection.write(Buffer.from([byte]));
    await sleep(10);
  }
  for (const connection of trickling.connections) {
    expect((await connection.response()).readInt32BE(0)).toBe(4);
  }
});

test("peers that are gone without a word, or in the middle of one, are let go of", async () => {
  await using silent = await crowd(200, impatient.bootstrapServers);
  await using midway = await crowd(200, impatient.bootstrapServers);
  for (const connection of midway.connections) connection.write(metadataRequest(1).subarray(0, 9));
  const all = [...silent.connections, ...midway.connections];
  await waitUntil("all are closed", () => all.every(({ isClosed }) => isClosed));
});

test("peers that will send no more still get the answers that they asked for, then the end", async () => {
  await using half = await crowd(200);
  for (const connection of half.connections) {
    connection.write(apiVersionsRequest(5), metadataRequest(6));
    connection.endSending();
  }
  for (const connection of half.connections) {
    const reply = await connection.reply();
    expect(reply.kind).toBe("frame");
    await waitUntil("the end", async () => (await connection.reply()).kind === "closed");
  }
});

// Not in a hook: one that fails keeps those behind it from running, and the brokers alive.
test("the client beside all of these was served throughout, and finds what it wrote", async () => {
  await canary.stop();
  await canary.verify();
  const latencies = canary.latencyMs(0.5, 0.99, 1).map((ms) => ms.toFixed(1));
  console.info(`Canary: ${canary.rounds} rounds of ms p50 p99 max ${latencies.join(" ")}`);
  expect(canary.rounds).toBeGreaterThan(10);
});
