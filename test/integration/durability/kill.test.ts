import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import { freePort } from "../free-port.ts";
import { connectKafkajs, createTopic, withAdmin } from "../kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { testConfig, uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { Committer, parseRecordValue, seededRandom, Writer } from "./numbered-workload.ts";
import { brokenPromises, readAllValues } from "./promises.ts";

const kills = Number(process.env.MILLRACE_KILLS ?? 10);
const seed = Number(process.env.MILLRACE_SEED ?? randomInt(2 ** 31));
const partitions = 4;

/** Small files: so that the kills fall on rolls, flushes and reclaims as well as on plain writes. */
const smallFiles = {
  "millrace.journal.file.bytes": "1048576",
  "millrace.journal.files.max": "8",
  "millrace.dirty.bytes.max": "2097152",
} as const;

/** Another program in the broker's place has no such configs. */
const ownConfig = process.env.MILLRACE_TEST_MAIN ? {} : smallFiles;

test(`${kills} kills under load lose nothing that was acknowledged (MILLRACE_SEED=${seed})`, {
  timeout: 60_000 + kills * 20_000,
}, async () => {
  const random = seededRandom(seed);
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    port: await freePort(),
    config: { ...testConfig, ...ownConfig },
  });
  const kafka = connectKafkajs(broker.bootstrapServers, { retries: 50 });
  const topic = await createTopic(kafka, { partitions, config: { "segment.bytes": "1048576" } });
  const writer = (name: string, options: { idempotent: boolean; acks: 1 | -1; compression?: number }) =>
    new Writer({ name, topic, partitions, random: seededRandom(randomIntOf(random)), ...options });
  const writers = [
    writer("once-a", { idempotent: true, acks: -1 }),
    writer("once-b", { idempotent: true, acks: -1, compression: kafkajs.CompressionTypes.GZIP }),
    writer("plain-all", { idempotent: false, acks: -1 }),
    writer("plain-leader", { idempotent: false, acks: 1 }),
  ];
  const committer = new Committer({ groupId: uniqueName("committer"), topic });
  const commitAdmin = new Admin({
    clientId: "committer",
    bootstrapBrokers: [broker.bootstrapServers],
    retries: 0,
    timeout: 2_000,
  });

  try {
    for (const each of writers) each.start(broker.bootstrapServers);
    committer.start((offset) =>
      commitAdmin.alterConsumerGroupOffsets({
        groupId: committer.groupId,
        topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: BigInt(offset) }] }],
      }),
    );
    for (let round = 0; round < kills; round++) {
      const sends = writers.map(({ acknowledgedSends }) => acknowledgedSends);
      await waitUntil(
        `all writers to be served in round ${round}`,
        () => writers.every(({ acknowledgedSends }, index) => acknowledgedSends > (sends[index] ?? 0)),
        30_000,
      );
      await sleep(random() * 600);
      await broker.kill();
      // Now and then the crash comes again before recovery is done.
      if (random() < 0.3) await broker.startAndKill(random() * 500);
      await broker.start();
    }
  } finally {
    await Promise.all([...writers.map((each) => each.stop()), committer.stop()]);
    await commitAdmin.close();
  }

  const found = (await readAllValues(kafka, topic)).map((values) => values.map(parseRecordValue));
  const broken = writers.flatMap(({ options: { name, idempotent: isComplete }, ledgers }) =>
    brokenPromises({ name, isComplete, ledgers }, found),
  );
  expect(broken, `seed ${seed}`).toEqual([]);
  const committed = await withAdmin(kafka, (admin) => committer.committed(admin));
  expect(committed).toBeGreaterThanOrEqual(committer.acknowledged);
  expect(committed).toBeLessThanOrEqual(committer.attempted);
  expect(committer.acknowledged).toBeGreaterThan(0);
  const total = found.reduce((sum, { length }) => sum + length, 0);
  console.info(`${total} records found, ${committer.acknowledged} commits, ${kills} kills, seed ${seed}`);
});

function randomIntOf(random: () => number): number {
  return Math.floor(random() * 2 ** 31);
}
