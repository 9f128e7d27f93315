import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { BrokerProcess } from "../integration/broker-process.ts";
import { freePort } from "../integration/free-port.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";
import { testConfig } from "../integration/test-broker.ts";
import { Campaign } from "./campaign.ts";
import { Canary } from "./canary.ts";

/** The full run is a million, half of them with each setting. */
const frames = Number(process.env.MILLRACE_FUZZ_FRAMES ?? 20_000);
const seed = Number(process.env.MILLRACE_FUZZ_SEED ?? randomInt(2 ** 31));

/** Caches that are full before the first measurement cannot be taken for growth. */
const smallBudgets = { "millrace.cache.bytes": "4194304", "millrace.dirty.bytes.max": "4194304" } as const;
/**
 * What leaks into the heap ends the broker, which the collector would otherwise put off for a long time. Much less
 * and V8, which counts the broker's 256 MiB of reserved aligned memory, does little else than collect.
 */
const heapMebibytesMax = 512;
/** Beyond what the first round made the broker hold: codecs, caches and heap have their size by then. */
const grownBytesMax = 200 << 20;
const settleMs = 2_000;
const mebibyte = 2 ** 20;
/** Files of logs in use stay open, up to a bound of their own; connections and files that leak go beyond any. */
const grownFilesMax = 300;
/** Measurements on the way that are told. */
const measurementsShown = 20;

test.each([false, true])(
  "spoilt frames harm nobody and whole ones get errors that say something (trap 66), automatic topics: %s",
  async (createsTopics) => {
    await using directory = await temporaryDirectory();
    await using broker = await BrokerProcess.start({
      logDirectory: directory.path,
      nodeArguments: [`--max-old-space-size=${heapMebibytesMax}`],
      port: await freePort(),
      config: { ...testConfig, ...smallBudgets, "auto.create.topics.enable": String(createsTopics) },
    });
    const canary = new Canary(broker.bootstrapServers);
    await canary.start();
    const campaign = new Campaign({
      broker,
      seed: createsTopics ? seed + 1 : seed,
      frames: frames / 2,
      spare: [canary.topic],
    });
    console.info(`Fuzzing with MILLRACE_FUZZ_SEED=${seed}`);

    const residentBytes: (number | undefined)[] = [];
    const openFiles: (number | undefined)[] = [];
    const startedMs = performance.now();
    await campaign.run(() => {
      canary.check();
      residentBytes.push(broker.residentBytes());
      openFiles.push(broker.openFileCount());
    });
    await canary.stop();
    await canary.verify();
    const seconds = (performance.now() - startedMs) / 1_000;

    await sleep(settleMs);
    residentBytes.push(broker.residentBytes());
    openFiles.push(broker.openFileCount());
    const [residentBefore, residentAfter] = [residentBytes.at(0), residentBytes.at(-1)];
    const latencies = canary.latencyMs(0.5, 0.99, 1).map((ms) => ms.toFixed(1));
    const mebibytes = residentBytes.map((bytes) => Math.round((bytes ?? 0) / mebibyte));
    console.info(
      `${JSON.stringify(campaign.tally)} in ${seconds.toFixed(0)} s, slowest cleaning ${campaign.slowestCleaningMs.toFixed(0)} ms, ` +
        `canary ${canary.rounds} rounds of ms p50 p99 max ${latencies.join(" ")}, ` +
        `resident MiB ${someOf(mebibytes).join(" ")}, open files ${someOf(openFiles).join(" ")}`,
    );
    expect(campaign.tally.frames).toBe(frames / 2);
    // A fuzzer of which nothing gets past the door would find nothing.
    expect(campaign.tally.answered).toBeGreaterThan(campaign.tally.frames / 4);
    if (residentBefore !== undefined && residentAfter !== undefined) {
      expect(residentAfter - residentBefore).toBeLessThan(grownBytesMax);
    }
    const [filesBefore, filesAfter] = [openFiles.at(0), openFiles.at(-1)];
    if (filesBefore !== undefined && filesAfter !== undefined) {
      expect(filesAfter - filesBefore).toBeLessThan(grownFilesMax);
    }

    // What was stored meanwhile must not keep the next life of the broker from starting, or from the canary's data.
    await broker.kill();
    await broker.start();
    await canary.verify();
  },
);

/** A few of many measurements, the last one among them. */
function someOf<T>(measurements: readonly T[]): T[] {
  const every = Math.ceil(measurements.length / measurementsShown);
  return measurements.filter((_, index) => index % every === 0 || index === measurements.length - 1);
}
